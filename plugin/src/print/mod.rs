//! kubectl's bytes: tables, JSON, YAML and names as `kubectl get` prints them.
//!
//! **Architecture invariant:** pure. Nothing here does IO or reads a clock, and nothing here knows what a cluster is.
//!
//! | module | port of |
//! |---|---|
//! | [`tabwriter`] | `github.com/liggitt/tabwriter`, as kubectl sets it up |
//! | [`table`] | `k8s.io/cli-runtime/pkg/printers` tableprinter.go |
//! | [`json`], [`number`] | `encoding/json` |
//! | [`verbs`], [`unicode`] | `fmt`, `strconv`, `unicode` |
//! | [`yaml`] | `sigs.k8s.io/yaml`, `go.yaml.in/yaml/v2` |
//! | [`kyaml`] | `sigs.k8s.io/yaml/kyaml` |
//! | [`jsonpath`] | `k8s.io/client-go/util/jsonpath` |
//! | [`columns`] | `k8s.io/kubectl/pkg/cmd/get` customcolumn.go |
//! | [`mod@sort`], [`gosort`], [`quantity`] | sorter.go beside it, `sort`, `k8s.io/apimachinery/pkg/api/resource` |
//! | [`objects`], [`name`] | `k8s.io/kubectl/pkg/cmd/get`, `printers` |
//! | [`mqtt_informer::kubernetes::duration`] | `k8s.io/apimachinery/pkg/util/duration` |
//! | [`sanitize`], [`sgr`] | ours: what a terminal must not see, and what it may |

pub mod columns;
pub mod gosort;
pub mod json;
pub mod jsonpath;
pub mod kyaml;
pub mod name;
pub mod objects;
pub mod quantity;
pub mod sanitize;
pub mod sgr;
pub mod sort;
pub mod table;
pub mod tabwriter;
pub mod yaml;

pub use mqtt_informer::golang::{number, unicode, verbs};

/// Who reads the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// A program, or a file: JSON and YAML are kubectl's bytes.
    #[default]
    Program,
    /// A terminal: what it could obey instead of show (DEL, C1, bidirectional controls) is escaped in JSON and YAML, so
    /// that the value is the same. Both formats allow such characters raw, and kubectl writes them so.
    Terminal,
}
