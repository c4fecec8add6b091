use std::io::Write;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::extract::draft::Draft;
use crate::extract::html::fragment;

const MAX: u64 = 4 << 20;
const FONTS: &str = "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>>>>>";

/// A PDF of objects, of which the first is the catalogue.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places: Vec<String> = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(format!("{:010} 00000 n \n", bytes.len()));
        bytes.extend(format!("{} 0 obj\n", number + 1).bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let (start, size, places) = (bytes.len(), objects.len() + 1, places.concat());
    write!(bytes, "xref\n0 {size}\n0000000000 65535 f \n{places}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF").unwrap();
    bytes
}

fn stream(dictionary: &str, content: &[u8]) -> Vec<u8> {
    [format!("<<{dictionary}/Length {}>>\nstream\n", content.len()).as_bytes(), content, b"\nendstream"].concat()
}

/// A PDF of pages, whose instructions are in Windows-1252. More objects follow.
fn pdf(pages: &[&str], more: &[Vec<u8>]) -> Vec<u8> {
    let kids: Vec<String> = (0..pages.len()).map(|number| format!("{} 0 R", 3 + 2 * number)).collect();
    let kids = kids.join(" ");
    let mut objects =
        vec![b"<</Type/Catalog/Pages 2 0 R>>".to_vec(), format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len()).into_bytes()];
    for (number, page) in pages.iter().enumerate() {
        let resources = if more.is_empty() { FONTS.to_owned() } else { FONTS.replace("<</Font", "<</XObject<</X 5 0 R>>/Font") };
        objects.push(format!("<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents {} 0 R{resources}>>", 4 + 2 * number).into_bytes());
        objects.push(stream("", &encoding_rs::WINDOWS_1252.encode(page).0));
    }
    objects.extend(more.iter().cloned());
    file(&objects)
}

/// An instruction that shows a text.
fn show(size: u32, x: u32, y: u32, text: &str) -> String {
    format!("BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET\n")
}

/// Lines of a column, one below the other.
fn column(x: u32, y: u32, lines: &[&str]) -> String {
    lines.iter().zip(0..).map(|(line, number)| show(10, x, y - 12 * number, line)).collect()
}

fn items(bytes: &[u8]) -> Vec<Item> {
    Pdf.items(bytes, MAX).unwrap()
}

fn draft(bytes: &[u8]) -> Draft {
    items(bytes).remove(0).unwrap()
}

fn lines(draft: &Draft) -> Vec<String> {
    let text = fragment::text(&draft.body).unwrap();
    text.lines().map(|line| line.replace('\u{a0}', " ").trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn columns_keep_their_order_and_hyphens_at_line_ends_are_joined() {
    let head = show(8, 50, 780, "Le Courrier du 3 mars") + &show(8, 540, 780, "12");
    let left = [
        "Le conseil municipal a voté le bud-",
        "get de la ville mardi soir. Peut-",
        "être, dit le maire, faudra-t-il at-",
        "tendre que Saint-",
        "Étienne et les vingt-",
        "deux communes donnent leur accord.",
    ];
    let right = [
        "La commission propose un finance-",
        "ment de plusieurs millions pour les",
        "écoles, les routes et les ponts qui",
        "seront refaits dans les deux ans.",
    ];
    let page = head.clone() + &show(24, 50, 740, "Le budget est voté") + &column(50, 700, &left) + &column(300, 700, &right);
    let next = head.replace("(12)", "(13)") + &column(50, 700, &["Une seconde page continue le récit de", "la séance."]);
    let draft = draft(&pdf(&[&page, &next], &[]));
    assert_eq!(draft.title.as_deref(), Some("Le budget est voté"));
    assert_eq!(
        lines(&draft),
        [
            "Le conseil municipal a voté le budget de la ville mardi soir. Peut-être, dit le maire, faudra-t-il attendre que Saint-Étienne et les vingt-deux communes donnent leur accord.",
            "La commission propose un financement de plusieurs millions pour les écoles, les routes et les ponts qui seront refaits dans les deux ans.",
            "Une seconde page continue le récit de la séance."
        ]
    );
}

#[test]
fn a_title_above_the_gutter_and_lines_that_end_early_are_apart() {
    let left = [
        "Par Jeanne Exemple",
        "Le conseil municipal a voté le budget",
        "de la ville mardi soir après un débat",
        "de trois heures, selon la mairie qui",
        "avait refusé tout report du vote.",
    ];
    let right = [
        "La commission propose des crédits de",
        "plusieurs millions pour les écoles et",
        "les routes qui seront refaites avant",
        "la fin du mandat, dans quatre ans.",
    ];
    let page = show(22, 50, 740, "Le budget est enfin voté") + &column(50, 700, &left) + &column(280, 700, &right);
    let draft = draft(&pdf(&[&page], &[]));
    let lines = lines(&draft);
    assert_eq!(draft.title.as_deref(), Some("Le budget est enfin voté"));
    assert_eq!((lines.len(), lines[0].as_str()), (3, "Par Jeanne Exemple"), "{lines:?}");
    assert!(lines[1].ends_with("tout report du vote.") && lines[2].starts_with("La commission propose"), "{lines:?}");
}

#[test]
fn rows_of_a_table_are_lines_and_footnotes_go() {
    let rows: String = [("Poste", "2025", "2026"), ("Voirie", "52,3", "49,9"), ("Écoles", "84,1", "91,0")]
        .iter()
        .zip(0..)
        .map(|((first, second, third), number)| {
            let y = 600 - 14 * number;
            show(10, 50, y, first) + &show(10, 200, y, second) + &show(10, 350, y, third)
        })
        .collect();
    let text = column(50, 700, &["Le coût total atteint plusieurs dizaines de millions", "d'euros sur deux ans, selon la mairie."]);
    let mark = show(6, 234, 692, "1");
    let note = show(7, 50, 60, "1. Chiffres arrondis.") + &show(7, 50, 52, "Source : la mairie.");
    let page = show(20, 50, 740, "Les comptes") + &text + &mark + &rows + &note;
    assert_eq!(
        lines(&draft(&pdf(&[&page], &[]))),
        [
            "Le coût total atteint plusieurs dizaines de millions d'euros sur deux ans, selon la mairie.",
            "Poste | 2025 | 2026",
            "Voirie | 52,3 | 49,9",
            "Écoles | 84,1 | 91,0"
        ]
    );
}

#[test]
fn a_pdf_of_pictures_has_no_text_and_an_encrypted_one_is_refused() {
    let reject = Pdf.items(&pdf(&["0 0 100 100 re f", "q Q"], &[]), MAX).unwrap_err();
    assert!(reject.code == ErrorCode::Empty && reject.reason.starts_with("no text in it"), "{reject}");
    let reject = Pdf.items(include_bytes!("../../../tests/data/documents/encrypted.pdf"), MAX).unwrap_err();
    assert!(reject.code == ErrorCode::Unreadable && reject.reason.contains("encrypted"), "{reject}");
}

#[test]
fn a_page_that_takes_too_long_is_given_up_by_name_and_the_others_stay() {
    let bytes = pdf(&[&"q Q ".repeat(200)], &[]);
    let parsed = File::new(bytes).unwrap();
    let slow = content::read(&parsed.pages()[0], MAX, &Budget::of(Duration::ZERO)).err().unwrap();
    assert!(slow.contains("takes longer"), "{slow}");
    // A stream over the limit is given up in the same way.
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&b"q Q ".repeat(5 << 20)).unwrap();
    let form = stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Filter/FlateDecode", &packed.finish().unwrap());
    let found = items(&pdf(&["/X Do"], &[form]));
    let (key, reject) = found[0].as_ref().unwrap_err();
    assert_eq!((found.len(), key, reject.code), (1, &Key::Own("page-1".into()), ErrorCode::TooLarge));
    assert!(reject.reason.starts_with("page 1 was skipped"), "{reject}");
}

#[test]
fn forms_in_themselves_and_deep_lists_end() {
    let itself = stream("/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>", b"/X Do");
    let text = show(10, 50, 700, "Un texte ordinaire de la page.");
    assert_eq!(items(&pdf(&[&(text.clone() + "/X Do")], &[itself])).len(), 1);
    let deep = format!("{}{} TJ\n{text}", "[".repeat(50_000), "]".repeat(50_000));
    // The parser stops at what is too deep; the text behind it is lost, but nothing overflows.
    assert_eq!(Pdf.items(&pdf(&[&deep, &text], &[]), MAX).unwrap().len(), 1);
}

#[test]
fn a_list_of_objects_that_unpacks_to_too_much_is_refused() {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(&vec![b'0'; 20 << 20]).unwrap();
    let list = stream("/Type/ObjStm/N 1/First 5/Filter/FlateDecode", &packed.finish().unwrap());
    let reject = Pdf.items(&pdf(&[&show(10, 50, 700, "Un texte.")], &[list]), MAX).unwrap_err();
    assert_eq!(reject.code, ErrorCode::TooLarge);
}

/// A page of two columns that another program made, with its text packed.
const COLUMNS: &[u8] = include_bytes!("../../../tests/data/documents/columns.pdf");

#[test]
fn the_file_of_another_program_is_read() {
    let draft = draft(COLUMNS);
    assert_eq!(draft.title.as_deref(), Some("Saint-Étienne vote un budget en hausse de 3,2 %"));
    let lines = lines(&draft);
    assert_eq!((lines.len(), lines[0].as_str()), (30, "Intertitre 1"));
    assert!(lines[3].ends_with("dont le coût a été réévalué à 38 millions d’euros."), "{}", lines[3]);
    assert!(lines.iter().all(|line| !line.contains("La Gazette")));
}

#[test]
fn every_cut_gives_a_text_or_a_reason() {
    for end in (0..COLUMNS.len()).step_by(97) {
        let _ = Pdf.items(&COLUMNS[..end], MAX);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn a_changed_file_gives_a_text_or_a_reason(changes in prop::collection::vec((0_usize..4_600, any::<u8>()), 1..8)) {
        let mut bytes = COLUMNS.to_vec();
        for (at, byte) in changes {
            if let Some(changed) = bytes.get_mut(at) {
                *changed = byte;
            }
        }
        let _ = Pdf.items(&bytes, MAX);
    }
}

#[test]
fn a_page_of_a_newspaper_with_several_headlines_is_flagged() {
    let article = |x: u32, headline: &str| {
        let text =
            ["La mairie a annoncé mardi que les tra-", "vaux de la digue dureront jusqu'en mars", "et que deux rues resteront fermées."];
        show(16, x, 760, headline) + &column(x, 730, &text.repeat(4))
    };
    let page = article(40, "La digue sera refaite") + &article(320, "Deux rues restent fermées");
    let several = draft(&pdf(&[&page], &[]));
    assert_eq!(several.flags, [Flag::Several]);
    // A title that is wider than its column does not make lines of the text look short.
    let first = "La mairie a annoncé mardi que les travaux de la digue dureront jusqu'en mars et que deux rues resteront fermées.";
    assert!(lines(&several).iter().any(|line| line.starts_with(first)), "{:?}", lines(&several));
    let quotation = article(40, "La digue sera refaite") + &article(320, "« Deux rues restent fermées »");
    assert!(draft(&pdf(&[&quotation], &[])).flags.is_empty());
}
