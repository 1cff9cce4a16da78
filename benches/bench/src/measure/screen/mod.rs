//! The live screen, through a terminal: how fast it follows changes and keys, and what it takes.

mod seat;
mod world;

use super::{Context, Measurement, Rows};
use crate::figure::{Sample, Unit, seconds};
use crate::progress;
use crate::report::{Row, grouped};
use anyhow::Result;
use seat::Seat;
use std::time::Duration;
use world::{World, mark};

pub(super) const MEASUREMENT: Measurement = Measurement {
    name: "screen",
    title: "The live screen: `tui pods` in a terminal of 160x50",
    method: "The program runs in a pseudo terminal; a vt100 parser in the harness makes a screen of what it writes, and a \
             time is that of the read that made the screen as it should be, before it was parsed. Pods are those of a \
             playground in the harness, behind a syncer and mosquitto; while events and keys are measured, 1,000 of them \
             change a second, all over. *Event*: one pod that is on the screen changes; until its cell has changed, beside \
             a consumer in the harness that has the change in its copy. *Key*: from the byte that is typed until the \
             cursor's place, the filtered or the sorted table is on the screen. *Frame*: processor time of the whole \
             program for each of many steps of the cursor, with no events. *Idle*: processor time in five seconds without \
             events. *Memory*: resident, less that with a hundredth of the smallest number of rows. *First frame*: from \
             before two programs that start it (setpriv, setsid). Processor times are the kernel's, in nanoseconds.",
    run,
};

/// Changes a second.
const LOAD: usize = 1000;
/// A frame, which is the goal for what a person waits for.
const FRAME: f64 = 0.016;
const IDLE: Duration = Duration::from_secs(5);
/// Between two keys: nobody types faster, and frames do not wait for each other.
const PAUSE: Duration = Duration::from_millis(40);

fn run(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let few = alone(context, (context.pods / 100).max(60))?;
    let mut many = few;
    for count in [context.pods / 10, context.pods, context.pods * 10] {
        many = measure(context, count.max(60), rows)?;
    }
    let frame = Row::values(
        format!("a frame with {} rows, processor time", grouped(many.rows)),
        Unit::Seconds,
        many.frame,
        (&format!("{} rows", grouped(few.rows)), few.frame),
    );
    rows.push(frame.at_most(1.2, "1.2"));
    let more = (many.rows - few.rows) as f64;
    rows.push(Row::alone(
        format!("memory a row, {} rows", grouped(many.rows)),
        Unit::Bytes.show((many.memory - few.memory) / more),
    ));
    first_frames(context, rows)
}

/// What the program takes while nothing happens.
#[derive(Clone, Copy)]
struct Takes {
    rows: usize,
    frame: f64,
    idle: f64,
    memory: f64,
}

/// So many rows, and no events.
fn alone(context: &Context<'_>, count: usize) -> Result<Takes> {
    let world = World::new(context, count)?;
    let mut seat = Seat::new(&world)?;
    seat.filled(count + 1)?;
    takes(context, &mut seat, count + 1)
}

fn takes(context: &Context<'_>, seat: &mut Seat, rows: usize) -> Result<Takes> {
    // What came with the copy is over: marks, allocations.
    std::thread::sleep(Duration::from_secs(2));
    let (_, foot) = seat.edges()?;
    let steps = context.scaled(200, 10);
    let before = seat.busy()?;
    for step in 0..steps {
        let at = [2, 1][step % 2];
        let wanted = place(at, rows);
        seat.types(["j", "k"][step % 2], (foot, 1), |line| {
            line.contains(&wanted)
        })?;
        std::thread::sleep(PAUSE / 2);
    }
    let frame = (seat.busy()? - before).as_secs_f64() / steps as f64;
    let before = seat.busy()?;
    std::thread::sleep(IDLE);
    let idle = (seat.busy()? - before).as_secs_f64() / IDLE.as_secs_f64();
    Ok(Takes {
        rows,
        frame,
        idle,
        memory: seat.memory()?,
    })
}

/// `3/1,001`, as the table's edge has it.
fn place(at: usize, of: usize) -> String {
    format!(" {}/{} ", grouped(at), grouped(of))
}

fn measure(context: &Context<'_>, count: usize, rows: &mut Rows) -> Result<Takes> {
    let name = format!("{} rows", grouped(count));
    progress(&format!("screen: {name}"));
    let mut world = World::new(context, count)?;
    let mut seat = Seat::new(&world)?;
    seat.filled(count + 1)?;
    let takes = takes(context, &mut seat, count + 1)?;
    let idle = Row::alone(
        format!("{name}, idle, of one processor"),
        format!("{:.2} %", takes.idle * 100.0),
    );
    rows.push(idle.met("< 1 %", takes.idle < 0.01));
    world.follow(context)?;
    let (load, looked) = (world.load(LOAD), seat.terminal.written());
    let begin = std::time::Instant::now();
    events(context, &world, &seat, &name, rows)?;
    keys(&mut seat, count + 1, context, &name, rows)?;
    let (written, took) = (seat.terminal.written(), begin.elapsed().as_secs_f64());
    let parsing = (written.looking - looked.looking).as_secs_f64() / took;
    let bytes = (written.bytes - looked.bytes) as f64 / took;
    rows.push(Row::alone(
        format!("{name}, meanwhile: changes; written; parsing it in the harness"),
        format!(
            "{:.0} /s; {}/s; {:.1} % of one processor",
            load.end(),
            Unit::Bytes.show(bytes),
            parsing * 100.0
        ),
    ));
    Ok(takes)
}

fn events(
    context: &Context<'_>,
    world: &World,
    seat: &Seat,
    name: &str,
    rows: &mut Rows,
) -> Result<()> {
    let at = seat.probe_line()?;
    let (mut held, mut seen, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=context.scaled(1000, 20) {
        let (copy, screen) = world.change(context, number, || seat.shows(at, &mark(number)))?;
        held.push(copy);
        seen.push(screen);
        added.push(screen.saturating_sub(copy));
        std::thread::sleep(PAUSE / 4);
    }
    let (held, seen, added) = (seconds(&held), seconds(&seen), seconds(&added));
    for (word, q) in [("p50", 0.5), ("p99", 0.99)] {
        rows.push(Row::values(
            format!("{name}, event until its cell changed, {word}"),
            Unit::Seconds,
            seen.quantile(q),
            ("a copy", held.quantile(q)),
        ));
    }
    rows.push(in_a_frame(
        format!("{name}, event, added by the screen, p99"),
        &added,
    ));
    Ok(())
}

/// Types as a person does who is in a hurry, and times each key.
struct Typist<'a> {
    seat: &'a mut Seat,
    /// The lines of the table's title, and of the cursor's place.
    head: u16,
    foot: u16,
    shown: usize,
    times: Vec<Duration>,
}

impl Typist<'_> {
    fn press(&mut self, keys: &str, at: u16, wanted: impl Fn(&str) -> bool) -> Result<Duration> {
        std::thread::sleep(PAUSE);
        self.seat.types(keys, (at, 1), wanted)
    }

    fn timed(&mut self, keys: &str, at: u16, wanted: impl Fn(&str) -> bool) -> Result<()> {
        let took = self.press(keys, at, wanted)?;
        self.times.push(took);
        Ok(())
    }

    fn home(&mut self) -> Result<()> {
        let first = place(1, self.shown);
        self.press("g", self.foot, |line| line.contains(&first))?;
        Ok(())
    }

    fn down(&mut self, step: usize) -> Result<()> {
        let next = place(step + 2, self.shown);
        self.timed("j", self.foot, |line| line.contains(&next))
    }

    fn page(&mut self) -> Result<()> {
        let first = place(1, self.shown);
        self.timed("\u{1b}[6~", self.foot, |line| !line.contains(&first))?;
        self.home()
    }

    fn filter(&mut self, filter: &str) -> Result<()> {
        // The prompt has a line above the table.
        let head = self.head + 1;
        self.press("/", head, |line| line.contains('╭'))?;
        for end in 1..=filter.len() {
            let shown = format!("</{}>", &filter[..end]);
            std::thread::sleep(PAUSE);
            // Half a label's name is told to be none in a line above the table.
            let letter = &filter[end - 1..end];
            let took = self
                .seat
                .types(letter, (head, 2), |line| line.contains(&shown))?;
            self.times.push(took);
        }
        self.press("\r", self.head, |line| line.contains('╭'))?;
        let all = format!("[{}]", grouped(self.shown));
        self.press("\u{1b}", self.head, |line| line.contains(&all))?;
        Ok(())
    }

    fn sort(&mut self, (key, column): (&str, &str)) -> Result<()> {
        self.timed(key, self.head + 1, |line| line.contains(column))
    }
}

const FILTERS: [&str; 4] = [
    "checkout",
    "-f ckt4",
    "-l app.kubernetes.io/name",
    "restarts:>5",
];
const SORTS: [(&str, &str); 4] = [
    ("A", "AGE↑"),
    ("S", "STATUS↑"),
    ("T", "RESTARTS↑"),
    ("N", "NAME↑"),
];

fn keys(
    seat: &mut Seat,
    shown: usize,
    context: &Context<'_>,
    name: &str,
    rows: &mut Rows,
) -> Result<()> {
    let (head, foot) = seat.edges()?;
    let mut typist = Typist {
        seat,
        head,
        foot,
        shown,
        times: Vec::new(),
    };
    let (many, some) = (context.scaled(200, 10), context.scaled(40, 2));
    let mut kind = |word: &str, typist: &mut Typist<'_>| {
        let times = seconds(&std::mem::take(&mut typist.times));
        let what = format!("{name}, key until it is on the screen, {word}, p99");
        rows.push(in_a_frame(what, &times));
    };
    (0..many.min(shown - 2)).try_for_each(|step| typist.down(step))?;
    kind("down", &mut typist);
    typist.home()?;
    (0..some).try_for_each(|_| typist.page())?;
    kind("page down", &mut typist);
    for turn in 0..some {
        typist.filter(FILTERS[turn % FILTERS.len()])?;
    }
    kind("a letter of a filter", &mut typist);
    for turn in 0..some * SORTS.len() {
        typist.sort(SORTS[turn % SORTS.len()])?;
    }
    kind("sort", &mut typist);
    Ok(())
}

fn in_a_frame(what: String, times: &Sample) -> Row {
    let worst = times.quantile(0.99);
    Row::alone(what, Unit::Seconds.show(worst)).met("≤ 16 ms", worst <= FRAME)
}

fn first_frames(context: &Context<'_>, rows: &mut Rows) -> Result<()> {
    let world = World::new(context, 60)?;
    let times: Result<Vec<_>> = (0..context.repeats)
        .map(|_| Seat::new(&world).map(|seat| seat.first_frame))
        .collect();
    let times = seconds(&times?);
    let row = Row::alone(
        "first frame after the start",
        Unit::Seconds.show_sample(&times),
    );
    rows.push(row.met("≤ 50 ms", times.median() <= 0.050));
    Ok(())
}
