//! How long to wait, for everything that waits.

use std::time::Duration;

/// All waits of one API server's client; the tests' are shorter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For a connection to be there.
    pub(crate) connect: Duration,
    /// For a credential plugin to end: some ask a far-away server.
    pub(crate) login: Duration,
    /// For a whole answer: kube-apiserver itself gives up on a list after 60 s.
    pub(crate) answer: Duration,
    /// For the head of a watch's answer.
    pub(crate) watch_opens: Duration,
    /// A watch that says nothing for so long is given up: API servers send a bookmark about each minute, and a
    /// connection that some device in between forgot looks just like a quiet one.
    pub(crate) watch_silence: Duration,
    /// A log that says nothing for so long is opened anew, from its last line on: a connection that some device in
    /// between forgot looks just like a quiet container.
    pub(crate) log_silence: Duration,
    /// For a probe: below a heartbeat (2 s), so that a silent server is known within 2.5 of them.
    pub(crate) probe: Duration,
    /// Between two tries while the server is away: the first, and the longest.
    pub(crate) outage: (Duration, Duration),
    /// Between two tries while it says no: somebody has to change something first.
    pub(crate) refusal: (Duration, Duration),
    /// A watch that lasted so long went well.
    pub(crate) steady: Duration,
    /// Between two lists of what cannot be watched, the least and the most: what is never watched is as old as its last
    /// list, so small ones are read often.
    pub(crate) poll: (Duration, Duration),
    /// Between two lists of what metrics servers measure: they look at the nodes no more often, and write another
    /// creationTimestamp into each list.
    pub(crate) measured: Duration,
    /// Discovery is not asked again within this time, however many unknown words come.
    pub(crate) discovery: Duration,
    /// Between two looks whether discovery changed, for the view `resources`: two requests that mostly answer "not
    /// modified".
    pub(crate) resources: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            connect: seconds(5),
            login: seconds(30),
            answer: seconds(60),
            watch_opens: seconds(30),
            watch_silence: seconds(150),
            log_silence: seconds(300),
            probe: Duration::from_millis(1500),
            outage: (Duration::from_millis(250), seconds(10)),
            refusal: (seconds(5), seconds(60)),
            steady: seconds(5),
            poll: (seconds(1), seconds(15)),
            measured: seconds(15),
            discovery: seconds(2),
            resources: seconds(2),
        }
    }
}

impl Patience {
    /// How long to wait after a list that took so long: the server is not to spend more than a tenth of its time on it.
    pub(crate) fn until_next_poll(&self, group: &str, took: Duration) -> Duration {
        let (least, most) = match group {
            "metrics.k8s.io" => (self.measured, self.measured),
            _ => self.poll,
        };
        (took * 9).clamp(least, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_takes_long_is_read_seldom() {
        let wait = |group: &str, ms| {
            let took = Duration::from_millis(ms);
            let wait = Patience::default().until_next_poll(group, took);
            wait.as_millis()
        };
        let of = |group| [2, 500, 9_000].map(|ms| wait(group, ms));
        assert_eq!(of("example.com"), [1_000, 4_500, 15_000]);
        assert_eq!(of("metrics.k8s.io"), [15_000; 3]);
    }
}
