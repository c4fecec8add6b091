//! What is made of an article, checked; and made once more where the user wants that and a check found something.

use super::Run;
use crate::check::{Context, check};
use crate::model::{Action, Article, Digest, Exit, Failure, Field, Finding, Flag, Lang, Severity, Task};
use crate::plan::{CallBackend, Redo, RouteOutput, make};

/// What was made, and all that is to be said of it.
pub(super) struct Checked {
    pub(super) made: RouteOutput,
    pub(super) findings: Vec<Finding>,
}

/// Whether a row is kept out of the table for one of its findings.
pub(super) fn quarantined(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.action == Action::Quarantine)
}

/// Makes a row's texts and checks them. Where a check asks for it they are made a second time, never a third; of the two the better
/// one is kept, the first where they are as good.
///
/// # Errors
/// What kept the first from being made, or ends the run.
pub(super) async fn make_checked(run: &Run, article: &Article, backend: &impl CallBackend) -> Result<Checked, Failure> {
    let config = &run.config;
    let made = make(&config.summary, &run.glossary, article, &Redo::default(), backend).await?;
    // Those who are ready to ask go first: a service that waits costs more time than a row that is checked a little later.
    tokio::task::yield_now().await;
    let first = look(run, article, made);
    let Some(redo) = redo(article, &first) else { return Ok(first) };
    tracing::info!(
        "{}: once more, {}",
        article.source,
        first.findings.iter().map(|finding| finding.check.code()).collect::<Vec<_>>().join(" ")
    );
    match make(&config.summary, &run.glossary, article, &redo, backend).await {
        Ok(made) => Ok(better(first, look(run, article, made))),
        Err(failure) if matches!(failure.exit, Exit::Interrupted | Exit::Terminated | Exit::Limit | Exit::Usage) => Err(failure),
        Err(failure) => {
            tracing::info!("{}: the second try failed, the first stands: {}", article.source, failure.reject);
            Ok(first)
        }
    }
}

fn look(run: &Run, article: &Article, made: RouteOutput) -> Checked {
    let findings = findings(run, article, &made.digest, [&made.text_fr, &made.text_en], made.draft);
    Checked { made, findings }
}

/// All that is to be said of these texts of an article: what was noticed before, and what the checks find.
pub(super) fn findings(run: &Run, article: &Article, digest: &Digest, kept: [&str; 2], draft: bool) -> Vec<Finding> {
    let checks = &run.config.checks;
    let context = Context::of_row(article, digest, kept, run.config.summary.wish.words).with_glossary(&run.glossary);
    let found = check(&context, &checks.off()).into_iter().map(|finding| Finding { action: checks.action(finding.check), ..finding });
    let noticed = article.flags.iter().map(|flag| Finding::of_article(*flag));
    let draft = draft.then(|| Finding::of_article(Flag::Draft));
    noticed.chain(draft).chain(found).collect()
}

/// How the article is to be done again; none where no finding asks for it.
fn redo(article: &Article, checked: &Checked) -> Option<Redo> {
    let with = |action: Action| checked.findings.iter().filter(move |finding| finding.action == action);
    let wrong: Vec<String> = with(Action::Retry).map(|finding| format!("{}: {}.", finding.field, finding.explanation)).collect();
    let avoid: Vec<String> =
        with(Action::Failover).map(|finding| candidate(article, checked, finding.field)).filter(|name| !name.is_empty()).collect();
    if wrong.is_empty() && avoid.is_empty() {
        return None;
    }
    // Where only the translation is wrong, the summary is not paid for again.
    let mut asked = with(Action::Retry).chain(with(Action::Failover));
    let task = asked.all(|finding| is_translated(article, finding.field)).then_some(Task::Translate);
    Some(Redo { note: wrong.join(" "), avoid, task })
}

/// Who made the text.
fn candidate(article: &Article, checked: &Checked, field: Field) -> String {
    let made = &checked.made;
    if is_translated(article, field) { made.translation_endpoint.clone() } else { made.summary_endpoint.clone() }
}

fn is_translated(article: &Article, field: Field) -> bool {
    let lang = match field {
        Field::TitleFr | Field::SummaryFr | Field::TextFr => Lang::FR,
        Field::TitleEn | Field::SummaryEn | Field::TextEn => Lang::EN,
        Field::Article | Field::Source | Field::Target => return false,
    };
    article.language != Some(lang)
}

/// The second where less is wrong with it, else the first; both were paid for.
fn better(first: Checked, second: Checked) -> Checked {
    let cost = first.made.cost.zip(second.made.cost).map(|(first, second)| first + second);
    let mut kept = if weight(&second) < weight(&first) { second } else { first };
    kept.made.cost = cost;
    kept
}

/// How much is wrong: errors first, then warnings, then the rest.
fn weight(checked: &Checked) -> [usize; 3] {
    [Severity::Error, Severity::Warning, Severity::Info]
        .map(|severity| checked.findings.iter().filter(|finding| finding.severity == severity).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(findings: &[(Flag, Severity, Field, Action)]) -> Checked {
        let made =
            RouteOutput { summary_endpoint: "s".into(), translation_endpoint: "t".into(), cost: Some(1.0), ..RouteOutput::default() };
        let finding = |(flag, severity, field, action): &(Flag, Severity, Field, Action)| Finding {
            action: *action,
            ..Finding::new(*flag, *severity, *field, "“20” stands here, but “2” in the source")
        };
        Checked { made, findings: findings.iter().map(finding).collect() }
    }

    fn article() -> Article {
        Article { language: Some(Lang::FR), ..Article::default() }
    }

    #[test]
    fn only_what_is_wrong_is_done_again_and_only_where_it_is_asked_for() {
        let flagged = (Flag::Number, Severity::Error, Field::SummaryFr, Action::Flag);
        assert!(redo(&article(), &checked(&[flagged])).is_none());
        let retried = redo(&article(), &checked(&[(Flag::Number, Severity::Error, Field::SummaryEn, Action::Retry)])).unwrap();
        assert_eq!(retried.task, Some(Task::Translate));
        assert_eq!(retried.note, "summary_en: “20” stands here, but “2” in the source.");
        let over = redo(&article(), &checked(&[(Flag::Loop, Severity::Error, Field::SummaryFr, Action::Failover)])).unwrap();
        assert_eq!((over.task, over.avoid, over.note.as_str()), (None, vec!["s".to_owned()], ""));
    }

    #[test]
    fn the_better_one_is_kept_and_both_are_paid_for() {
        let wrong = || checked(&[(Flag::Number, Severity::Error, Field::SummaryEn, Action::Retry)]);
        let less = || checked(&[(Flag::Name, Severity::Warning, Field::SummaryEn, Action::Flag)]);
        let kept = |first, second| better(first, second).findings.first().map(|finding| finding.check);
        assert_eq!(kept(wrong(), less()), Some(Flag::Name));
        assert_eq!(kept(less(), wrong()), Some(Flag::Name));
        assert_eq!(better(wrong(), wrong()).made.cost, Some(2.0));
    }
}
