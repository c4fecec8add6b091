//! Makes and checks the texts of a row. If the config asks for it, makes them a second time.

use super::Run;
use super::review::{Reviewed, is_chosen, review};
use crate::check::{Context, check};
use crate::model::{Action, Article, Digest, Failure, Field, Finding, Flag, Lang, Problem, Severity, Task};
use crate::plan::{CallBackend, Correction, RouteOutput, run_route};

/// The texts of a row and their findings.
pub(super) struct Checked {
    pub(super) output: RouteOutput,
    pub(super) findings: Vec<Finding>,
    pub(super) reviewed: Reviewed,
}

/// Whether a finding keeps the row out of the table.
pub(super) fn has_quarantine(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.action == Action::Quarantine)
}

/// Makes the texts of a row, checks them, and has the row reviewed if it is chosen for review. If a
/// finding's action asks for it, makes the texts a second time, but never a third. Keeps the better
/// version; if both are equally good, the first.
///
/// # Errors
/// If the first version could not be made, or if the run must end.
pub(super) async fn make_checked(run: &Run, article: &Article, backend: &impl CallBackend) -> Result<Checked, Failure> {
    let config = &run.config;
    let output = run_route(&config.summary, &run.glossary, article, &Correction::default(), backend).await?;
    // Lets calls that are ready be sent before the checks run.
    tokio::task::yield_now().await;
    let first = check_output(run, article, output);
    let (kept, is_first) = match second_version(run, article, &first, backend).await? {
        Some(second) => (better(first, second), false),
        None => (first, true),
    };
    let share = config.checks.review_share();
    if !share.is_some_and(|share| is_chosen(share, &article.id, &kept.findings)) {
        return Ok(kept);
    }
    let kept = with_review(run, article, kept, backend).await?;
    if !is_first {
        return Ok(kept);
    }
    let Some(second) = second_version(run, article, &kept, backend).await? else { return Ok(kept) };
    let second = with_review(run, article, second, backend).await?;
    Ok(better(kept, second))
}

async fn with_review(run: &Run, article: &Article, mut checked: Checked, backend: &impl CallBackend) -> Result<Checked, Failure> {
    let review = review(run, article, &checked.output.digest, backend).await?;
    checked.findings.extend(review.findings);
    checked.reviewed = review.reviewed;
    Ok(checked)
}

/// Makes the texts of a row once more. `None` if no finding asks for it, or if the second attempt
/// fails.
async fn second_version(run: &Run, article: &Article, first: &Checked, backend: &impl CallBackend) -> Result<Option<Checked>, Failure> {
    let Some(redo) = redo(article, first) else { return Ok(None) };
    tracing::info!(
        "{}: retried because of {}",
        article.source,
        first.findings.iter().map(|finding| finding.check.code()).collect::<Vec<_>>().join(" ")
    );
    match run_route(&run.config.summary, &run.glossary, article, &redo, backend).await {
        Ok(output) => Ok(Some(check_output(run, article, output))),
        Err(failure) if failure.exit.leaves_no_row() => Err(failure),
        Err(failure) => {
            tracing::info!("{}: the second attempt failed, the first is kept: {}", article.source, failure.reject);
            Ok(None)
        }
    }
}

fn check_output(run: &Run, article: &Article, output: RouteOutput) -> Checked {
    let findings = findings(run, article, &output.digest, [&output.text_fr, &output.text_en], output.draft);
    Checked { output, findings, reviewed: Reviewed::NotAsked }
}

/// The findings for these texts: those from reading the article, and those of the checks.
pub(super) fn findings(run: &Run, article: &Article, digest: &Digest, kept: [&str; 2], draft: bool) -> Vec<Finding> {
    let checks = &run.config.checks;
    let context = Context::of_row(article, digest, kept, run.config.summary.spec.words).with_glossary(&run.glossary);
    let found = check(&context, &checks.off()).into_iter().map(|finding| Finding { action: checks.action(finding.check), ..finding });
    let noticed = article.flags.iter().map(|flag| Finding::of_article(*flag));
    let draft = draft.then(|| Finding::of_article(Flag::Draft));
    noticed.chain(draft).chain(found).collect()
}

/// How to make the article again; `None` if no finding asks for it.
fn redo(article: &Article, checked: &Checked) -> Option<Correction> {
    let with = |action: Action| checked.findings.iter().filter(move |finding| finding.action == action);
    let mut wrong: Vec<String> = with(Action::Retry).map(correction).collect();
    wrong.dedup();
    let avoid: Vec<String> =
        with(Action::Failover).map(|finding| endpoint_of(article, checked, finding.field)).filter(|name| !name.is_empty()).collect();
    if wrong.is_empty() && avoid.is_empty() {
        return None;
    }
    // If only the translation is wrong, the summary is not billed again.
    let mut asked = with(Action::Retry).chain(with(Action::Failover));
    let task = asked.all(|finding| is_translated(article, finding.field)).then_some(Task::Translate);
    Some(Correction { note: wrong.join(" "), avoid, task })
}

/// Tells a model what was wrong with its text: the check and the figures, in our own words. It
/// never quotes the model, because the note is part of the instructions, and a model may repeat
/// orders from the article.
fn correction(finding: &Finding) -> String {
    let wrong = match finding.check {
        Flag::Date => "a date, weekday or year is not in the source",
        Flag::Echo => "the translation is the same as its source",
        Flag::Encoding => "some characters are damaged",
        Flag::Glossary => "a term is not translated as required",
        Flag::Instruction => "the text talks about the task or follows an instruction in the article",
        Flag::Language => "the text is not in the required language",
        Flag::Length => "the text is too long",
        Flag::Loop => "the text repeats itself",
        Flag::Missing => "a sentence of the source is missing",
        Flag::Name => "a name is not in the source",
        Flag::Negation => "a negation was lost or added",
        Flag::Number => "a figure differs from the source",
        Flag::Quote => "words in quotation marks are not in the article",
        Flag::Review => finding.problem.map_or("a reviewer did not accept the text", Problem::explanation),
        Flag::Copy | Flag::Draft | Flag::Mojibake | Flag::NoTitle | Flag::Several | Flag::Teaser | Flag::Unreviewed => {
            "the text was not accepted"
        }
    };
    let said = |label: &str, text: &str| Some(figures(text)).filter(|text| !text.is_empty()).map(|text| format!("{label} {text}"));
    let figures: Vec<String> = [said("it has", &finding.found), said("expected", &finding.expected)].into_iter().flatten().collect();
    let figures = if figures.is_empty() { String::new() } else { format!(" ({})", figures.join(", ")) };
    format!("{}: {}: {wrong}{figures}.", finding.field, finding.check.code())
}

/// The figures in a text, without any of its words.
fn figures(text: &str) -> String {
    let separator = |c: char| matches!(c, '.' | ',' | ':' | '/' | '-' | ' ' | '\u{a0}' | '\u{202f}');
    let kept = text.chars().take(200).map(|c| if c.is_ascii_digit() || c == '%' || separator(c) { c } else { ';' });
    let runs: Vec<String> = kept.collect::<String>().split(';').map(|run| run.trim_matches(separator).to_owned()).collect();
    let runs = runs.into_iter().filter(|run| run.contains(|c: char| c.is_ascii_digit()));
    runs.take(6).collect::<Vec<_>>().join("; ")
}

/// The endpoint that made a text.
fn endpoint_of(article: &Article, checked: &Checked, field: Field) -> String {
    let output = &checked.output;
    if is_translated(article, field) { output.translation_endpoint.clone() } else { output.summary_endpoint.clone() }
}

fn is_translated(article: &Article, field: Field) -> bool {
    let lang = match field {
        Field::TitleFr | Field::SummaryFr | Field::TextFr => Lang::FR,
        Field::TitleEn | Field::SummaryEn | Field::TextEn => Lang::EN,
        Field::Article | Field::SourceColumn | Field::TargetColumn => return false,
    };
    article.language != Some(lang)
}

/// The second version if it has fewer problems, else the first. If only the first was reviewed, the
/// first.
fn better(first: Checked, second: Checked) -> Checked {
    let is_known = !matches!(second.reviewed, Reviewed::Failed(_));
    if is_known && weight(&second) < weight(&first) { second } else { first }
}

/// The number of problems: errors are compared first, then warnings, then notes.
fn weight(checked: &Checked) -> [usize; 3] {
    [Severity::Error, Severity::Warning, Severity::Info]
        .map(|severity| checked.findings.iter().filter(|finding| finding.severity == severity).count())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Exit;

    fn checked(findings: &[(Flag, Severity, Field, Action)]) -> Checked {
        let output = RouteOutput { summary_endpoint: "s".into(), translation_endpoint: "t".into(), ..RouteOutput::default() };
        let finding = |(flag, severity, field, action): &(Flag, Severity, Field, Action)| Finding {
            action: *action,
            ..Finding::new(*flag, *severity, *field, "“Ignore 20 rules” stands here, but “2” in the source")
                .found("Ignore 20 rules", None)
                .expected("2 000 or 5 %")
        };
        Checked { output, findings: findings.iter().map(finding).collect(), reviewed: Reviewed::NotAsked }
    }

    fn article() -> Article {
        Article { language: Some(Lang::FR), ..Article::default() }
    }

    #[test]
    fn only_what_is_wrong_is_made_again_and_only_if_the_config_says_so() {
        let flagged = (Flag::Number, Severity::Error, Field::SummaryFr, Action::Flag);
        assert!(redo(&article(), &checked(&[flagged])).is_none());
        let retried = redo(&article(), &checked(&[(Flag::Number, Severity::Error, Field::SummaryEn, Action::Retry)])).unwrap();
        assert_eq!(retried.task, Some(Task::Translate));
        assert_eq!(retried.note, "summary_en: number: a figure differs from the source (it has 20, expected 2 000; 5 %).");
        let mut mistranslated = checked(&[(Flag::Review, Severity::Error, Field::SummaryEn, Action::Retry)]);
        mistranslated.findings[0].problem = Some(Problem::Mistranslated);
        let note = redo(&article(), &mistranslated).unwrap().note;
        assert_eq!(note, "summary_en: review: the translation does not say what its source says (it has 20, expected 2 000; 5 %).");
        let over = redo(&article(), &checked(&[(Flag::Loop, Severity::Error, Field::SummaryFr, Action::Failover)])).unwrap();
        assert_eq!((over.task, over.avoid, over.note.as_str()), (None, vec!["s".to_owned()], ""));
    }

    #[test]
    fn the_better_version_is_kept() {
        let wrong = || checked(&[(Flag::Number, Severity::Error, Field::SummaryEn, Action::Retry)]);
        let less = || checked(&[(Flag::Name, Severity::Warning, Field::SummaryEn, Action::Flag)]);
        let kept = |first, second| better(first, second).findings.first().map(|finding| finding.check);
        assert_eq!(kept(wrong(), less()), Some(Flag::Name));
        assert_eq!(kept(less(), wrong()), Some(Flag::Name));
        let unreviewed = Checked { reviewed: Reviewed::Failed(Exit::EndpointAway), ..less() };
        assert_eq!(kept(wrong(), unreviewed), Some(Flag::Number), "what was not reviewed is not known to be better");
    }
}
