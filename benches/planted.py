"""Plants one error of a given kind into a translation. Each plant takes a pair with `source`, `target`
and `to`, and a generator of random numbers; it returns the wrong target, or None if it does not fit."""

import re

NUMBERS = {
    "en": "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty".split(),
    "fr": "deux trois quatre cinq six sept huit dix onze douze quinze vingt trente quarante cinquante soixante".split(),
}
MONTHS = {
    "en": "January February April June July August September October November December".split(),
    "fr": "janvier février avril juin juillet août septembre octobre novembre décembre".split(),
}
DAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
}
SCALES = {
    "en": {"million": "billion", "billion": "million", "thousand": "million"},
    "fr": {"millions": "milliards", "milliards": "millions", "million": "milliard"},
}
UNITS = {
    "en": {"%": " euros", "percent": "euros", "dollars": "euros", "euros": "dollars", "kilometres": "miles", "days": "weeks", "hours": "days"},
    "fr": {"%": " euros", "dollars": "euros", "euros": "dollars", "kilomètres": "miles", "jours": "semaines", "heures": "jours"},
}
CURRENCIES = {
    "en": "crowns dirhams rupees|Canadian dollars|pesos|rubles|Swiss francs|pounds sterling|yen|rand".replace(" ", "|", 2).split("|"),
    "fr": "couronnes|dirhams|roupies|dollars canadiens|pesos|roubles|francs suisses|livres sterling|yens|rands".split("|"),
}
MONEY = {"en": r"(?:US |U\.S\. )?(?:dollars|euros|roubles|rubles|pounds|crowns)", "fr": r"(?:dollars|euros|roubles|livres|couronnes)"}
ORDINALS = {
    "en": "first second third fourth fifth sixth seventh eighth ninth tenth".split(),
    "fr": "premier deuxième troisième quatrième cinquième sixième septième huitième neuvième dixième".split(),
}
DIRECTIONS = {
    "en": {
        "rose": "fell", "fell": "rose", "increased": "decreased", "decreased": "increased", "rise": "fall", "increase": "decrease",
        "decrease": "increase", "more than": "fewer than", "less than": "more than", "fewer than": "more than", "at least": "at most",
        "gained": "lost", "lost": "gained", "above": "below", "below": "above", "higher": "lower", "lower": "higher", "grew": "shrank",
        "rising": "falling", "falling": "rising", "increasing": "decreasing", "over": "under",
        "growth": "decline", "climbed": "dropped", "dropped": "climbed", "drop": "rise", "decline": "growth",
    },
    "fr": {
        "hausse": "baisse", "baisse": "hausse", "augmenté": "diminué", "diminué": "augmenté", "augmentation": "diminution", "plus de": "moins de",
        "moins de": "plus de", "au moins": "au plus", "gagné": "perdu", "perdu": "gagné", "supérieur": "inférieur", "inférieur": "supérieur",
        "augmenter": "diminuer", "réduire": "augmenter", "réduction": "augmentation", "croissance": "baisse",
    },
}
COUNTRIES = {
    "en": "Germany Italy Spain Nigeria Mali Kenya Ghana Senegal Austria Australia Chile Peru Vietnam Thailand Indonesia Iceland Latvia Croatia Ukraine Belarus "
    "Iraq Iran Oman Jordan Lebanon Egypt Sudan Chad Niger Togo Zambia Cuba Haiti Canada Japan China India Nepal Turkey Greece Poland Hungary Sweden "
    "Norway Denmark Belgium Portugal Morocco Algeria Tunisia Libya Brazil Mexico Argentina Bolivia Ecuador Colombia Venezuela Russia France Switzerland".split(),
    "fr": "Allemagne Italie Espagne Nigeria Mali Kenya Ghana Sénégal Autriche Australie Chili Pérou Vietnam Thaïlande Indonésie Islande Lettonie Croatie "
    "Ukraine Biélorussie Irak Iran Oman Jordanie Liban Égypte Soudan Tchad Niger Togo Zambie Cuba Haïti Canada Japon Chine Inde Népal Turquie Grèce "
    "Pologne Hongrie Suède Norvège Danemark Belgique Portugal Maroc Algérie Tunisie Libye Brésil Mexique Argentine Bolivie Équateur Colombie Venezuela "
    "Russie France Suisse".split(),
}
CITIES = "Paris London Berlin Moscow Beijing Brussels Geneva Cairo Damascus Kabul Tehran Warsaw Vienna Tokyo Madrid Rome Lisbon".split()
DEGENERATE = ["", "-", "N/A", "null", "The", "...", "n/a", "None", "—", "Le", "OK", "."]
ADDED = {
    "en": [
        "An investigation has been opened into the matter.", "The authorities have not commented on the decision.",
        "The weather is expected to improve by the weekend.", "Several experts have expressed doubts about the figures.",
        "He thanked his family and all of his supporters.", "More details will be announced in the coming days.",
        "The opposition called it a dangerous precedent for the country.", "Residents say they had been waiting for this for years.",
    ],
    "fr": [
        "Une enquête a été ouverte sur cette affaire.", "Les autorités n'ont pas commenté la décision.",
        "Le temps devrait s'améliorer d'ici la fin de la semaine.", "Plusieurs experts ont exprimé des doutes sur les chiffres.",
        "Il a remercié sa famille et tous ses soutiens.", "D'autres détails seront annoncés dans les prochains jours.",
        "L'opposition y voit un dangereux précédent pour le pays.", "Les habitants disent attendre cela depuis des années.",
    ],
}
GLUE = {"en": ["of", "the", "and", "in", "for"], "fr": ["de", "la", "et", "dans", "pour"]}
FOREIGN = "armenio pueblo blindados ciudades vehículos anteriormente gobierno mujeres trabajadores electrificada escuelas ejército regierung stadt verkehr".split()


def replace(text, places, change, random):
    places = list(places)
    if not places:
        return None
    place = random.choice(places)
    return text[: place.start()] + change(place.group()) + text[place.end() :]


def words(text, choices, before="", after=""):
    return re.finditer(before + r"(?<!\w)(?:" + "|".join(map(re.escape, choices)) + r")(?!\w)" + after, text)


def other(choices):
    return lambda text, to, random: replace(
        text, words(text, choices[to]), lambda word: random.choice([choice for choice in choices[to] if choice != word]), random
    )


def direction(text, to, random):
    figures = {"over", "under", "plus de", "moins de", "more than", "less than", "fewer than", "above", "below", "at least", "at most", "au moins"}
    fixed = r"(?! all\b| (?:his|her|their|its|my|our) (?:life|way|mind|home|temper|job|son|wife|husband|father|mother)\b| up\b| court| house)"
    places = [place for place in words(text, DIRECTIONS[to], after=fixed) if place.group() not in figures or re.match(r" (?:de |d')?(?:[$€£]?\d|\w+ (?:hundred|thousand|million|billion)|(?:a|an|one|two|three|four|five|six|ten|twelve|twenty|un|une|deux|trois|dix) )", text[place.end() :])]
    return replace(text, places, DIRECTIONS[to].get, random)


def digit(text, _, random):
    def change(number):
        at = random.randrange(len(number))
        return number[:at] + random.choice([d for d in "123456789" if d != number[at]]) + number[at + 1 :]

    return replace(text, re.finditer(r"\d+", text), change, random)


def lost_number(text, _, random):
    return replace(text, re.finditer(r"(?<=\s)\d[\d.,\u00a0]*\s", text), lambda _: "", random)


def scale(text, to, random):
    return replace(text, words(text, SCALES[to], r"(?<=\d[\s\u00a0])"), SCALES[to].get, random)


def unit(text, to, random):
    names = "|".join(UNITS[to])
    return replace(text, re.finditer(r"(?<=\d)[\s\u00a0]?(?:" + names + r")(?!\w)", text), lambda unit: " " + UNITS[to][unit.strip()].strip(), random)


def year(text, _, random):
    return replace(text, re.finditer(r"\b(?:19|20)\d\d\b", text), lambda year: str(int(year) + random.choice([-3, -1, 1, 2])), random)


def points(text, to, random):
    percent, more = {"en": (r"(?<=\d) ?(?:%|percent|per cent)(?!\w)", " percentage points"), "fr": (r"(?<=\d)[\s\u00a0]?(?:%|pour cent)", " points")}[to]
    return replace(text, re.finditer(percent, text), lambda _: more, random)


def currency(text, to, random):
    def change(unit):
        return random.choice([name for name in CURRENCIES[to] if name.split()[0].lower()[:3] not in unit.lower() and name.split()[-1] not in unit])

    return replace(text, re.finditer(r"(?<=\d[\s\u00a0])" + MONEY[to] + r"(?!\w)|(?<=illion )" + MONEY[to] + r"(?!\w)", text), change, random)


def negation_lost(text, to, random):
    if to == "en":
        # "Or not", "not least" and "isn't it?" negate nothing.
        lost = replace(text, re.finditer(r"(?<=[a-z]{2})n't\b(?! \w+ ?\?)|(?<! or)(?<! than) not(?! only| just| least| to mention)\b|\bnever ", text), lambda _: "", random)
        return lost and lost.replace(" ca ", " can ").replace(" wo ", " will ")
    return replace(text, re.finditer(r"\b(?:ne |n')(\w+(?: \w+)?) pas\b", text), lambda found: re.sub(r"^n(?:e |')| pas$", "", found), random)


def negation_added(text, to, random):
    if to == "en":
        return replace(text, re.finditer(r"\b(?:is|are|was|were|will|would|could|should|can|has been|have been)\b(?! not)(?=\s)", text), lambda verb: verb.replace(" been", " not been") if " been" in verb else verb + " not", random)
    return replace(text, re.finditer(r"(?<= )(?:est|sont|a|ont|était|sera|va|peut|doit|fait)(?= [a-zé])", text), lambda verb: ("n'" if verb[0] in "aeéo" else "ne ") + verb + " pas", random)


def degenerate(text, _, random):
    return random.choice(DEGENERATE)


def sentence_added(text, to, random):
    return text.rstrip() + " " + random.choice(ADDED[to]) if re.search(r"[.!?]$", text.rstrip()) else None


def cut(text, _, random):
    found = text.split()
    if len(found) < 6 or not re.search(r"[.!?]$", text):
        return None
    kept = " ".join(found[: random.randrange(len(found) // 2, len(found) - 1)])
    return None if re.search(r"[.!?\"”»)]$", kept) else kept


def glued(text, to, random):
    places = [at for at in re.finditer(r"(?<= )[a-zà-ÿ]{4,} [a-zà-ÿ]{4,}(?= )", text)]
    return replace(text, places, lambda pair: pair.replace(" ", random.choice(GLUE[to])), random)


def third_language(text, _, random):
    return replace(text, re.finditer(r"(?<= )[a-zà-ÿ]{6,}(?= )", text), lambda _: random.choice(FOREIGN), random)


def exchanged(text, _, random):
    found = [at for at in re.finditer(r"(?<![\w.,-])\d{1,3}(?:[.,]\d+)?(?![\w.,-]\d|th|st|nd|rd|s\b)", text)]
    pairs = [(a, b) for a, b in zip(found, found[1:]) if a.group() != b.group() and b.start() - a.end() > 4]
    if not pairs:
        return None
    a, b = random.choice(pairs)
    return text[: a.start()] + b.group() + text[a.end() : b.start()] + a.group() + text[b.end() :]


def of_target(plant):
    return lambda pair, random: plant(pair["target"], pair["to"], random)


def left_in_source(pair, random):
    """A word of the source in the place of its neighbourhood's word: as translators leave it."""
    own = [word for word in re.findall(r"(?<= )[a-zà-ÿ]{6,}(?=[ ,.])", pair["source"]) if word not in pair["target"]]
    return replace(pair["target"], re.finditer(r"(?<= )[a-zà-ÿ]{6,}(?=[ ,.])", pair["target"]), lambda _: random.choice(own), random) if own else None


PLANTS = {
    "a digit changed": (of_target(digit), {"number", "date"}),
    "a number lost": (of_target(lost_number), {"number", "date"}),
    "million to billion": (of_target(scale), {"number"}),
    "another number in words": (of_target(other(NUMBERS)), {"number"}),
    "another unit": (of_target(unit), {"number"}),
    "another currency": (of_target(currency), {"number"}),
    "another ordinal": (of_target(other(ORDINALS)), {"number", "date"}),
    "per cent to points": (of_target(points), {"number"}),
    "two figures exchanged": (of_target(exchanged), {"number", "date"}),
    "the opposite direction": (of_target(direction), {"number"}),
    "another year": (of_target(year), {"number", "date"}),
    "another month": (of_target(other(MONTHS)), {"date"}),
    "another weekday": (of_target(other(DAYS)), {"date"}),
    "another country": (of_target(other(COUNTRIES)), {"name"}),
    "a negation lost": (of_target(negation_lost), {"negation"}),
    "a negation added": (of_target(negation_added), {"negation"}),
    "nothing translated": (of_target(degenerate), {"missing"}),
    "a sentence added": (of_target(sentence_added), {"missing"}),
    "cut off": (of_target(cut), {"missing"}),
    "a word left": (left_in_source, {"language"}),
    "a word of a third language": (of_target(third_language), {"language"}),
    "two words glued": (of_target(glued), {"language"}),
}
