use super::*;
use crate::model::{Answer, Digest};

fn endpoint(url: &str) -> Endpoint {
    Endpoint { model: Some("m".into()), key: Some("sk-1".into()), ..Endpoint::sample("openai", url) }
}

fn completion(message: &Value, finish: &str) -> Vec<u8> {
    json!({"choices": [{"message": message, "finish_reason": finish}], "usage": {"prompt_tokens": 5, "completion_tokens": 7}})
        .to_string()
        .into_bytes()
}

#[test]
fn the_request_has_the_schema_and_the_token_limit_that_the_server_knows() {
    let body = |url: &str| -> Value {
        serde_json::from_slice(&OpenAi.request(&endpoint(url), &CallRequest::sample_digest(), false).unwrap().body.unwrap().bytes).unwrap()
    };
    let local = body("http://localhost:8080/v1");
    assert_eq!(
        local["response_format"]["json_schema"]["schema"]["required"],
        json!(["title_en", "summary_fr", "summary_en"]),
        "the article's own title is not asked for"
    );
    assert!(local["max_tokens"].is_u64() && local["max_completion_tokens"].is_null());
    assert!(body("https://api.openai.com/v1")["max_completion_tokens"].is_u64());
}

#[test]
fn a_digest_has_its_usage() {
    let content = r#"{"title_fr":"a","title_en":"b","summary_fr":"c","summary_en":"d"}"#;
    let reply =
        OpenAi.reply(&endpoint("http://h/v1"), &CallRequest::sample_digest(), &completion(&json!({"content": content}), "stop")).unwrap();
    let wanted = Digest { title_fr: "Titre".into(), title_en: "b".into(), summary_fr: "c".into(), summary_en: "d".into() };
    assert_eq!(reply.answer, Answer::Digest(wanted));
    assert_eq!(reply.usage, Usage { tokens_in: Some(5), tokens_out: Some(7), ..Usage::default() });
}

#[test]
fn thoughts_beside_the_completion_are_billed_output() {
    let out = |used: Value| usage(&used).tokens_out;
    let within = json!({"prompt_tokens": 400, "completion_tokens": 500, "total_tokens": 900, "completion_tokens_details": {"reasoning_tokens": 440}});
    assert_eq!(out(within), Some(500), "OpenAI");
    let xai =
        json!({"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 900, "completion_tokens_details": {"reasoning_tokens": 440}});
    assert_eq!(out(xai), Some(500));
    let no_total = json!({"prompt_tokens": 400, "completion_tokens": 60, "completion_tokens_details": {"reasoning_tokens": 440}});
    assert_eq!(out(no_total), Some(500), "440 are not within 60");
    let top = json!({"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 460, "reasoning_tokens": 440});
    assert_eq!(out(top), Some(500), "nor if the total leaves them out");
    let only_total = json!({"prompt_tokens": 400, "total_tokens": 900});
    assert_eq!(out(only_total), Some(500));
    let small_total = json!({"prompt_tokens": 400, "completion_tokens": 60, "total_tokens": 60});
    assert_eq!(out(small_total), Some(60));
    let other_names = usage(&json!({"input_tokens": 5, "output_tokens": 7}));
    assert_eq!((other_names.tokens_in, other_names.tokens_out), (Some(5), Some(7)));
}

#[test]
fn a_count_of_zero_is_no_count() {
    let zeros = json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0});
    assert_eq!(usage(&zeros), Usage::default());
    assert_eq!(usage(&json!({"prompt_tokens": 0, "completion_tokens": 7, "total_tokens": 7})).tokens_out, Some(7));
    assert_eq!(usage(&Value::Null), Usage::default());
}

#[test]
fn the_reservation_counts_the_room_for_reasoning_that_a_request_allows() {
    let most = |url: &str| OpenAi.most_usage(&endpoint(url), &CallRequest::sample_digest(), false);
    let (local, openai) = (most("http://localhost/v1"), most("https://api.openai.com/v1"));
    assert_eq!(openai.tokens_out, local.tokens_out.map(|tokens| tokens + REASONING_TOKENS));
    let body = OpenAi.request(&endpoint("http://localhost/v1"), &CallRequest::sample_digest(), false).unwrap().body.unwrap().bytes;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["max_tokens"].as_u64(), local.tokens_out);
    for url in ["http://localhost/v1", "https://api.openai.com/v1"] {
        let mut limited = endpoint(url);
        limited.options.highest_token_limit = Some(800);
        limited.options.thinking_tokens = 2_000;
        assert_eq!(
            OpenAi.most_usage(&limited, &CallRequest::sample_digest(), true).tokens_out,
            Some(800),
            "no more than the service accepts"
        );
    }
}

#[test]
fn unusable_answers_have_distinct_codes() {
    let code = |body: &[u8]| OpenAi.reply(&endpoint("http://h/v1"), &CallRequest::sample_digest(), body).unwrap_err();
    assert_eq!(code(&completion(&json!({"content": "{"}), "length")).code, ErrorCode::Truncated);
    assert_eq!(code(&completion(&json!({"content": null}), "stop")).code, ErrorCode::EmptyAnswer);
    assert_eq!(code(&completion(&json!({"content": null, "refusal": "no"}), "stop")).verdict, Verdict::Never);
    let part = json!({"content": [{"type": "refusal", "refusal": "no"}]});
    assert_eq!(code(&completion(&part, "stop")).code, ErrorCode::Refused);
    assert_eq!(code(&completion(&json!({"content": "x"}), "content_filter")).code, ErrorCode::Refused);
    assert_eq!(code(&completion(&json!({"content": "", "reasoning_content": "Hm."}), "stop")).code, ErrorCode::OnlyThoughts);
    assert_eq!(code(&completion(&json!({"content": [{"type": "thinking", "thinking": []}]}), "stop")).code, ErrorCode::OnlyThoughts);
    for body in ["[]", "\"x\"", "1", "null", "{\"choices\":[]}", "{\"choices\":{}}", "{\"choices\":\"x\"}"] {
        assert_eq!(code(body.as_bytes()).code, ErrorCode::EmptyAnswer, "{body}");
    }
    for choice in ["1", "[]", "{}", r#"{"finish_reason": "stop", "message": 1}"#, r#"{"finish_reason": "stop", "message": "x"}"#] {
        let error = code(format!("{{\"choices\":[{choice}]}}").as_bytes());
        assert!(matches!(error.code, ErrorCode::Unfinished | ErrorCode::EmptyAnswer), "{choice}");
    }
    assert_eq!(code(br#"{"error":{"message":"Rate limit","code":429}}"#).verdict, Verdict::BackOff);
}

#[test]
fn a_spent_quota_or_a_missing_model_disables_the_endpoint() {
    let refused = |status, code: &str| {
        OpenAi
            .classify_error(&endpoint("http://h/v1"), &Response::new(status, json!({"error": {"message": "m", "code": code}}).to_string()))
    };
    assert_eq!(refused(429, "insufficient_quota").verdict, Verdict::Stop);
    assert_eq!(refused(429, "rate_limit_exceeded").verdict, Verdict::BackOff);
    assert_eq!(refused(404, "model_not_found").verdict, Verdict::Stop);
    assert_eq!(refused(400, "context_length_exceeded").verdict, Verdict::Never);
}

#[test]
fn errors_of_routers_and_local_servers_are_recognised() {
    let refused = |status, body: &str| {
        let error = OpenAi.classify_error(&endpoint("http://h/v1"), &Response::new(status, body));
        (error.code, error.verdict)
    };
    let litellm = r#"{"error":{"message":"litellm.BadRequestError: litellm.ContextWindowExceededError: too long","type":null,"param":null,"code":"400"}}"#;
    assert_eq!(refused(400, litellm), (ErrorCode::TooLarge, Verdict::Never));
    let groq = r#"{"error":{"message":"Request too large for model `m` in organization `o` service tier `on_demand` on tokens per minute (TPM): Limit 2000, Requested 2800","type":"tokens","code":"rate_limit_exceeded"}}"#;
    assert_eq!(refused(413, groq), (ErrorCode::TooLarge, Verdict::Never));
    let no_tier = r#"{"error":{"message":"Invalid service_tier argument","param":"service_tier"}}"#;
    assert_eq!(refused(400, no_tier), (ErrorCode::RefusedRequest, Verdict::Stop));
    let unknown =
        r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x","type":"invalid_request_error","code":"400"}}"#;
    assert_eq!(refused(400, unknown), (ErrorCode::NotFound, Verdict::Stop));
    let spent = r#"{"error":{"message":"m","type":"x","code":"organization_spend_limit_exceeded"}}"#;
    assert_eq!(refused(429, spent), (ErrorCode::Quota, Verdict::Stop));
    let busy = r#"{"error":{"message":"m","type":"insufficient_quota","code":"429"}}"#;
    assert_eq!(refused(429, busy), (ErrorCode::Busy, Verdict::BackOff), "the type is not the code");
    let llama = r#"{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error"}}"#;
    assert_eq!(refused(400, llama), (ErrorCode::TooLarge, Verdict::Never));
}

#[test]
fn refused_parameters_are_left_out_from_then_on() {
    let local = endpoint("http://h/v1");
    let refused = |message: &str| OpenAi.classify_error(&local, &Response::new(400, json!({"error": {"message": message}}).to_string()));
    let tokens = refused("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.");
    let adapted = OpenAi.adapt_options(&local, &tokens).unwrap();
    let better = Endpoint { options: adapted, ..local.clone() };
    let body: Value =
        serde_json::from_slice(&OpenAi.request(&better, &CallRequest::sample_digest(), false).unwrap().body.unwrap().bytes).unwrap();
    assert!(body["max_tokens"].is_null() && body["max_completion_tokens"].is_u64());
    assert!(OpenAi.adapt_options(&better, &tokens).is_none(), "nothing is left to adapt");
    let schema = refused("'response_format.type' must be 'json_object' or 'text'");
    let object = Endpoint { options: OpenAi.adapt_options(&local, &schema).unwrap(), ..local.clone() };
    let body: Value =
        serde_json::from_slice(&OpenAi.request(&object, &CallRequest::sample_digest(), false).unwrap().body.unwrap().bytes).unwrap();
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    let none = OpenAi.adapt_options(&object, &schema).unwrap();
    assert_eq!(none.json, JsonMode::None);
    assert!(OpenAi.adapt_options(&Endpoint { options: none, ..local.clone() }, &schema).is_none());
}
