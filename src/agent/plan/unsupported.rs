//! What of a work is not honoured.

use super::ignore;
use crate::ocm::unsupported::Unsupported;
use crate::ocm::work::{
    ConditionRuleType, FeedbackScrapeType, IgnoreCondition, ManifestConfig, ManifestWorkSpec,
};

/// The fields of a work that are not honoured.
pub fn unsupported(spec: &ManifestWorkSpec) -> Vec<Unsupported> {
    let configs = spec.manifest_configs.iter().enumerate();
    configs
        .flat_map(|(i, config)| of_config(&format!("spec.manifestConfigs[{i}]"), config))
        .collect()
}

fn of_config(at: &str, config: &ManifestConfig) -> Vec<Unsupported> {
    let mut all = Vec::new();
    let mut rules = config.condition_rules.iter();
    if rules.any(|it| it.kind != ConditionRuleType::WellKnownConditions) {
        let field = format!("{at}.conditionRules[].celExpressions");
        all.push(Unsupported::new(field, "the condition is Unknown"));
    }
    if let Some(FeedbackScrapeType::Unknown(_)) = &config.feedback_scrape_type {
        let field = format!("{at}.feedbackScrapeType");
        all.push(Unsupported::new(field, "objects are watched"));
    }
    let strategy = config.update_strategy.clone().unwrap_or_default();
    let apply = strategy.server_side_apply.unwrap_or_default();
    for ignored in &apply.ignore_fields {
        let field =
            |name: &str| format!("{at}.updateStrategy.serverSideApply.ignoreFields[].{name}");
        if ignored.condition != IgnoreCondition::OnSpokePresent {
            let instead = "the fields are left alone as soon as the object is there";
            all.push(Unsupported::new(field("condition"), instead));
        }
        if !ignored.jq_path_expressions.is_empty() {
            let instead = "jq is not evaluated, the fields are written";
            all.push(Unsupported::new(field("jqPathExpressions"), instead));
        }
        if !ignored.json_paths.iter().all(|it| ignore::is_simple(it)) {
            let instead = "only names and indices are understood, other fields are written";
            all.push(Unsupported::new(field("jsonPaths"), instead));
        }
    }
    all
}
