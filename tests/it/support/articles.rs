//! Sample articles. They are long enough for language detection, and each number gives a different one.

/// A French article with its title on the first line.
pub(crate) fn french(number: usize) -> String {
    format!(
        "La digue numéro {number} tient bon\n\n\
         La digue {number} du port a tenu. Elle a résisté mercredi à la tempête de la nuit, a annoncé la mairie dans un communiqué. \
         Les réparations commencées au printemps doivent durer encore huit mois, selon les services techniques de la ville.\n\n\
         Les habitants du quartier attendaient ces travaux depuis longtemps, et le conseil municipal a voté leur budget à l'unanimité.\n"
    )
}

/// An English article.
pub(crate) fn english(number: usize) -> String {
    format!(
        "Bridge number {number} opens again\n\n\
         Bridge {number} is open. The town council said on Wednesday that the repairs, which began in the spring, had been finished \
         a month early and within the budget that was voted last year.\n\n\
         People who live on the other side of the river had been waiting for this, and they thanked the workers for their patience.\n"
    )
}

/// A German article.
pub(crate) fn german() -> &'static str {
    "Der Deich hält dem Sturm stand\n\n\
     Der Deich am Hafen hat gehalten. Er hat in der Nacht zum Mittwoch dem Sturm widerstanden, teilte das Rathaus in einer Erklärung mit. \
     Die Arbeiten, die im Frühjahr begonnen haben, werden nach Angaben der Stadt noch acht Monate dauern.\n\n\
     Die Bewohner des Viertels hatten lange auf diese Arbeiten gewartet, und der Stadtrat hat den Haushalt einstimmig beschlossen.\n"
}
