//! The answers of a working service in each dialect's wire format. Equal requests get equal answers, so that two runs can be
//! compared byte by byte. A summary is the text's first sentence, a translation is the text in capitals after its language.

use serde_json::{Value, json};

use super::http::{Request, Response};

/// The service's only model.
pub(crate) const MODEL: &str = "mock-1";

/// The answer to any request in any dialect.
pub(crate) fn answer(request: &Request) -> Response {
    let path = request.path.split('?').next().unwrap_or_default();
    match path {
        "/v1/messages" => return message(&content(&request.json()), "end_turn"),
        "/api/chat" => return ollama(&content(&request.json()), "stop", request.text().len() as u64 / 8),
        "/api/show" => return Response::json(&json!({"model_info": {"mock.context_length": 131_072}})),
        "/frontend/settings" => return Response::json(&json!({"charLimit": -1, "apiKeys": false, "keyRequired": false})),
        "/v2/translate" => return deepl(&request.json()),
        "/v2/usage" => return Response::json(&json!({"character_count": 10, "character_limit": 500_000})),
        "/v3/glossaries" => return glossaries(request),
        _ if path.starts_with("/v1/models/") => return Response::json(&json!({"type": "model", "id": path.rsplit('/').next()})),
        _ => {}
    }
    match path.rsplit('/').next().unwrap_or_default() {
        "completions" => completion(&content(&request.json())),
        "models" => Response::json(&json!({"object": "list", "data": [{"id": "other"}, {"id": MODEL}]})),
        "translate" => libretranslate(&request.json()),
        "languages" => Response::json(&json!([{"code": "fr", "targets": ["en"]}, {"code": "en", "targets": ["fr"]}])),
        "translateChain" => apertium(request),
        _ => Response::new(404, r#"{"error":"no such path"}"#),
    }
}

/// An `OpenAI` chat completion with this text.
pub(crate) fn completion(content: &str) -> Response {
    choice(&json!({"role": "assistant", "content": content}), "stop")
}

/// An `OpenAI` chat completion with this message and finish reason.
pub(crate) fn choice(message: &Value, finish: &str) -> Response {
    let usage = json!({"prompt_tokens": 11, "completion_tokens": 7});
    Response::json(
        &json!({"object": "chat.completion", "model": MODEL, "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": usage}),
    )
}

/// An Anthropic message with this text and stop reason.
pub(crate) fn message(content: &str, reason: &str) -> Response {
    let usage = json!({"input_tokens": 11, "output_tokens": 7});
    Response::json(
        &json!({"type": "message", "model": MODEL, "content": [{"type": "text", "text": content}], "stop_reason": reason, "usage": usage}),
    )
}

/// An Ollama answer with this text, done reason, and number of prompt tokens.
pub(crate) fn ollama(content: &str, reason: &str, read: u64) -> Response {
    let message = json!({"role": "assistant", "content": content});
    Response::json(
        &json!({"model": MODEL, "message": message, "done": true, "done_reason": reason, "prompt_eval_count": read, "eval_count": 7}),
    )
}

/// `DeepL`'s translations.
fn deepl(body: &Value) -> Response {
    let to = body["target_lang"].as_str().unwrap_or_default().to_lowercase();
    let texts = body["text"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let one = |text: &str| json!({"text": translation(to.split('-').next().unwrap_or_default(), text), "billed_characters": text.chars().count()});
    Response::json(&json!({"translations": texts.map(one).collect::<Vec<_>>()}))
}

/// An account without glossaries. A new one is accepted but not stored.
fn glossaries(request: &Request) -> Response {
    if request.method == "GET" {
        return Response::json(&json!({"glossaries": []}));
    }
    Response::new(201, json!({"glossary_id": "g-1", "name": request.json()["name"]}).to_string())
}

/// This service's translation of a text.
pub(crate) fn translation(to: &str, text: &str) -> String {
    format!("[{to}] {}", text.to_uppercase())
}

/// This service's summary of a text.
pub(crate) fn summary(text: &str) -> String {
    text.split_inclusive(". ").next().unwrap_or_default().trim().to_owned()
}

/// A chat model's answer to a prompt.
fn content(body: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    // Anthropic's system prompt is not in the list of messages.
    let messages = &body["messages"];
    let (system, user) = match &body["system"] {
        Value::String(system) => (system.clone(), text(&messages[0]["content"])),
        // A model without a system role has the instructions before the text.
        _ if messages[1].is_null() => {
            let (system, user) = messages[0]["content"].as_str().and_then(|all| all.split_once("\n\n<<")).unwrap_or_default();
            (system.to_owned(), format!("<<{user}"))
        }
        _ => (text(&messages[0]["content"]), text(&messages[1]["content"])),
    };
    let lines: Vec<&str> = user.lines().collect();
    let material = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default().join("\n");
    let (title, text) = material.split_once("\n\n").unwrap_or(("", &material));
    if system.contains("JSON list of texts") {
        let to = if system.contains("into English") { "en" } else { "fr" };
        let texts: Vec<String> = serde_json::from_str(&material).unwrap_or_default();
        json!({"translations": texts.iter().map(|text| translation(to, text)).collect::<Vec<_>>()}).to_string()
    } else if system.contains("four texts") {
        let (own, other) = if system.contains("article is in French") { ("fr", "en") } else { ("en", "fr") };
        let mut digest = json!({});
        digest[format!("title_{own}")] = title.into();
        digest[format!("title_{other}")] = translation(other, title).into();
        digest[format!("summary_{own}")] = summary(text).into();
        digest[format!("summary_{other}")] = translation(other, &summary(text)).into();
        digest.to_string()
    } else if system.contains("check a row of a table") {
        json!({"findings": []}).to_string()
    } else {
        summary(text)
    }
}

/// `LibreTranslate` with only French and English.
fn libretranslate(body: &Value) -> Response {
    let language = |name: &str| body[name].as_str().unwrap_or_default();
    for code in [language("source"), language("target")] {
        if !["fr", "en"].contains(&code) {
            return Response::new(400, json!({"error": format!("{code} is not supported")}).to_string());
        }
    }
    let texts = body["q"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let translated: Vec<String> = texts.map(|text| translation(language("target"), text)).collect();
    Response::json(&json!({"translatedText": translated}))
}

/// Apertium APY takes its input as a form.
fn apertium(request: &Request) -> Response {
    let query = request.path.split_once('?').map(|(_, query)| query.to_owned());
    let form = query.unwrap_or_else(|| String::from_utf8_lossy(&request.body).into_owned());
    let field = |name: &str| {
        form.split('&').filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| unescape(value))
    };
    let chain: Vec<String> = field("langpairs").unwrap_or_default().split('|').map(str::to_owned).collect();
    let mut data = json!({"translationChain": chain});
    if let Some(text) = field("q") {
        data["translatedText"] = format!("[{}] {}", chain.last().map_or("", String::as_str), text.to_uppercase()).into();
    }
    Response::json(&json!({"responseData": data, "responseDetails": null, "responseStatus": 200}))
}

fn unescape(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| (digit.unwrap_or(b'0') as char).to_digit(16).unwrap_or(0));
                u8::try_from(digits[0] * 16 + digits[1]).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A gzip stream that unpacks to `megabytes` of zeros, 258 in 13 bits, with hand-written fixed Huffman codes.
pub(crate) fn gzip_bomb(megabytes: usize) -> Vec<u8> {
    let mut bits = Vec::new();
    let mut put = |code: u32, length: u32| bits.extend((0..length).rev().map(|at| code >> at & 1 == 1));
    // The last block with fixed codes (01, the lower bit first), a literal zero, then copies of length 258 and distance 1.
    put(0b1_10, 3);
    put(0b0011_0000, 8);
    for _ in 0..megabytes * (1 << 20) / 258 {
        put(0b1100_0101, 8);
        put(0, 5);
    }
    put(0, 7);
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(bits.chunks(8).map(|byte| byte.iter().enumerate().fold(0_u8, |sum, (at, bit)| sum | u8::from(*bit) << at)));
    // A wrong checksum and length: the program must not read this far.
    bytes.extend([0; 8]);
    bytes
}
