//! Names that French and English write so differently that no rule finds it out.

use std::sync::LazyLock;

/// French and English, both as they begin: what begins with the one is the counterpart of what begins with the other. A name of several
/// words stands there with its words that count.
pub(super) static EXONYMS: LazyLock<Vec<(&str, &str)>> = LazyLock::new(|| {
    include_str!("exonyms.txt").lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' ')).collect()
});

/// Places that both languages write alike; French puts an article before most of them, so that nothing else tells them from other words.
pub(super) const PLACES: &str = "
ain aisne allier ardeche ardennes ariege aube aude aveyron calvados cantal charente cher correze creuse dordogne doubs drome essonne eure
finistere gard garonne gers gironde herault indre isere jura landes loir loire loiret lot lozere marne mayenne meurthe meuse morbihan moselle
nievre oise orne dome rhone saone sarthe seine somme tarn var vaucluse vendee vosges yonne yvelines belfort reunion guadeloupe martinique guyane
mayotte alsace aquitaine auvergne beauce berry champagne provence limousin poitou touraine anjou bearn perigord quercy gascogne roussillon
camargue cevennes vercors sologne brie oman ghana kenya togo benin gabon congo angola botswana zimbabwe mozambique madagascar canada panama
nicaragua honduras guatemala salvador paraguay texas alaska arizona nevada oregon ohio michigan illinois alabama kansas colorado montana
ontario quebec manitoba saskatchewan yukon laos bangladesh ukraine donetsk ontario kent sussex essex cornwall ulster";
