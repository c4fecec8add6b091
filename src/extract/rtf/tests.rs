use super::*;
use crate::extract::draft::Draft;
use crate::extract::html::fragment;
use crate::model::ErrorCode;

fn draft(rtf: &[u8]) -> Draft {
    Rtf.items(rtf, 1 << 20).unwrap().remove(0).unwrap()
}

fn lines(rtf: &[u8]) -> Vec<String> {
    let text = fragment::text(&draft(rtf).body).unwrap();
    text.lines().map(|line| line.replace('\u{a0}', " ").trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

#[test]
fn letters_come_from_code_pages_and_unicode() {
    let rtf = b"{\\rtf1\\ansi\\ansicpg1252{\\fonttbl{\\f0\\fcharset0 Arial;}{\\f1\\fcharset204 Arial;}{\\f2\\fcharset77 Geneva;}}
Titre\\par \\'c9t\\'e9 \\u8212\\'97 \\uc2\\u339 oe\\uc0\\u233 \\uc1  {\\f1\\'cc} {\\f2 \\'8e} \\u-10179?\\u-8704?.\\par Un second.\\par}";
    assert_eq!(lines(rtf), ["Été — œé М é 😀.", "Un second."]);
    assert_eq!(draft(rtf).title.as_deref(), Some("Titre"));
}

#[test]
fn notes_headers_fields_and_deleted_text_go() {
    let rtf = b"{\\rtf1\\ansi{\\stylesheet{\\s0 Normal;}{\\s3\\b heading 1;}{\\*\\cs9 Titre caract\\'e8re;}}{\\info{\\title Mod\\'e8le}{\\author Jeanne Exemple}}
{\\header La Gazette\\par}{\\*\\inconnu rien}\\pard\\s3 Le budget\\par\\pard Le conseil a vot\\'e9 {\\deleted 12 }{\\revised 15 }millions{\\super 1}{\\footnote {\\super 1} Une note.} \\{mardi\\}, dit {\\field{\\*\\fldinst HYPERLINK \"https://a.invalid\"}{\\fldrslt la mairie}}{\\v cach\\'e9}, sur 300 m{\\super 2}.\\par}";
    assert_eq!(lines(rtf), ["Le conseil a voté 15 millions {mardi}, dit la mairie, sur 300 m²."]);
    let draft = draft(rtf);
    assert_eq!((draft.title.as_deref(), draft.author.as_deref()), (Some("Le budget"), Some("Jeanne Exemple")));
}

#[test]
fn a_table_is_lines() {
    let rtf = b"{\\rtf1 T\\par Un texte de la page.\\par\\trowd\\intbl Poste\\cell 2026\\cell\\row\\intbl Voirie\\cell 49,9\\cell\\row\\pard Fin.\\par}";
    assert_eq!(lines(rtf), ["Un texte de la page.", "Poste | 2026", "Voirie | 49,9", "Fin."]);
}

#[test]
fn damaged_files_are_refused_by_name() {
    let code = |rtf: &[u8]| Rtf.items(rtf, 1 << 20).unwrap_err().code;
    assert_eq!(code(b"{\\rtf1 Un texte"), ErrorCode::Malformed);
    assert_eq!(code(&[b"{\\rtf1 ".as_slice(), &b"{".repeat(5_000)].concat()), ErrorCode::TooDeep);
    assert_eq!(code(b"{\\rtf1\\ansicpg850 \\'82t\\'82}"), ErrorCode::Encoding);
}

#[test]
fn every_cut_gives_a_text_or_a_reason() {
    let rtf = b"{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset0 Arial;}}{\\stylesheet{\\s1 heading 1;}}\\pard\\s1 T\\par\\uc1\\u233?\\'e9{\\*\\x a}\\bin3 abc\\cell\\row}";
    for end in 0..rtf.len() {
        let _ = Rtf.items(&rtf[..end], 1 << 20);
        let _ = Rtf.items(&rtf[end..], 1 << 20);
    }
}
