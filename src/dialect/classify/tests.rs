use serde_json::{Value, json};

use super::*;

fn refused(status: u16, body: &str) -> CallError {
    classify(&Response::new(status, body), &[])
}

/// Code and verdict of a message, in the shape of `OpenAI`.
fn said(status: u16, message: &str) -> (ErrorCode, Verdict) {
    of(status, &json!({"error": {"message": message, "type": "x", "code": null}}))
}

fn of(status: u16, body: &Value) -> (ErrorCode, Verdict) {
    let error = refused(status, &body.to_string());
    // The length of the pause does not matter here.
    let verdict = if let Verdict::Wait(_) = error.verdict { Verdict::BackOff } else { error.verdict };
    (error.code, verdict)
}

const KEY: (ErrorCode, Verdict) = (ErrorCode::KeyRefused, Verdict::Stop);
const QUOTA: (ErrorCode, Verdict) = (ErrorCode::Quota, Verdict::Stop);
const NOT_FOUND: (ErrorCode, Verdict) = (ErrorCode::NotFound, Verdict::Stop);
const BUSY: (ErrorCode, Verdict) = (ErrorCode::Busy, Verdict::BackOff);
const DOWN: (ErrorCode, Verdict) = (ErrorCode::Unavailable, Verdict::BackOff);
const TOO_LARGE: (ErrorCode, Verdict) = (ErrorCode::TooLarge, Verdict::Never);
const REFUSED: (ErrorCode, Verdict) = (ErrorCode::Refused, Verdict::Never);
const THIS_ARTICLE: (ErrorCode, Verdict) = (ErrorCode::RefusedRequest, Verdict::Never);

fn parameter(code: ErrorCode) -> (ErrorCode, Verdict) {
    (code, Verdict::Never)
}

#[test]
fn the_status_decides_where_nothing_is_said() {
    for (status, expected) in [
        (401, KEY),
        (403, KEY),
        (402, QUOTA),
        (404, NOT_FOUND),
        (413, TOO_LARGE),
        (429, BUSY),
        (500, DOWN),
        (503, DOWN),
        (520, DOWN),
        (507, DOWN),
        (424, DOWN),
        (529, (ErrorCode::Overloaded, Verdict::BackOff)),
        (400, THIS_ARTICLE),
        (422, THIS_ARTICLE),
    ] {
        assert_eq!(said(status, "no"), expected, "{status}");
    }
    assert_eq!(refused(307, "").code, ErrorCode::Redirect);
    assert_eq!(refused(407, "").message, "status 407: the proxy requires a user name and password");
}

#[test]
fn the_message_is_the_services_own() {
    assert_eq!(refused(400, r#"{"error":{"message":"bad model"}}"#).message, "status 400: bad model");
    assert_eq!(refused(400, r#"{"error":"Invalid request"}"#).message, "status 400: Invalid request");
    assert_eq!(refused(502, "<html>\n<b>\u{1b}[31mBad").message, "status 502: [31mBad");
    let far = refused(400, &json!({"error": {"message": format!("{}Your API key is not valid.", "Sorry. ".repeat(40))}}).to_string());
    assert_eq!(far.code, ErrorCode::KeyRefused);
    assert!(far.message.starts_with("status 400: …") && far.message.ends_with("API key is not valid."), "{}", far.message);
    let apache = "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n<title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n\
        <p>Your browser sent a request that this server could not understand.<br />\nReason: You're speaking plain HTTP to an SSL-enabled server port.";
    assert_eq!((refused(400, apache).verdict, refused(400, apache).code), (Verdict::Stop, ErrorCode::Tls));
}

#[test]
fn a_requested_pause_is_kept() {
    let pause = std::time::Duration::from_secs(7);
    let verdict = |status| classify(&Response { retry_after: Some(pause), ..Response::new(status, "") }, &[]).verdict;
    assert_eq!(verdict(429), Verdict::Wait(pause));
    assert_eq!(verdict(503), Verdict::Wait(pause));
    assert_eq!(verdict(401), Verdict::Stop, "waiting does not help a refused key");
}

#[test]
fn what_is_true_of_the_endpoint_disables_it_whatever_the_status() {
    for (status, message, expected) in [
        (400, "API key not valid. Please pass a valid API key.", KEY),
        (400, "Incorrect API key provided: sk-1***. You can find your API key at https://platform.openai.com.", KEY),
        (400, "API key expired. Please renew the API key.", KEY),
        (500, "Invalid API Key", KEY),
        (400, "Visit https://portal.libretranslate.com to get an API key", KEY),
        (400, "You didn't provide an API key.", KEY),
        (400, "Authentication Error, Invalid proxy server token passed.", KEY),
        (404, "Your account has been suspended, please contact support", KEY),
        (400, "User location is not supported for the API use.", KEY),
        (400, "Country, region, or territory not supported", KEY),
        (403, "This model is not available in your region.", KEY),
        (503, "无效的令牌 (request id: x)", KEY),
        (500, "Insufficient Balance", QUOTA),
        (403, "Your newly created team doesn't have any credits yet.", QUOTA),
        (403, "Key limit exceeded (total limit).", QUOTA),
        (429, "Free allocated quota exceeded.", QUOTA),
        (400, "Your credit balance is too low to access the Anthropic API.", QUOTA),
        (429, "Your account is not in good standing: Insufficient account balance", QUOTA),
        (402, "This request requires more credits, or fewer max_tokens. You requested up to 6000 tokens, but can only afford 12.", QUOTA),
        (400, "Budget has been exceeded! Current cost: 1.2, Max budget: 1", QUOTA),
        (400, "You have reached your specified API usage limits. You will regain access on 2026-12-01.", QUOTA),
        (400, "The provided model identifier is invalid.", NOT_FOUND),
        (400, "x-1 is not a valid model ID", NOT_FOUND),
        (500, "could not load model - all backends returned error: model not found: x-1", NOT_FOUND),
        (400, "Invalid model: x-1", NOT_FOUND),
        (400, "No models loaded. Please load a model in the developer page.", NOT_FOUND),
        (400, "This is not a chat model and thus not supported in the v1/chat/completions endpoint.", NOT_FOUND),
        (400, "The security token included in the request is expired", KEY),
        (400, "This organization has been disabled.", KEY),
        (400, "The model `x-1` does not exist or you do not have access to it.", NOT_FOUND),
        (400, "The model `llama3-8b-8192` has been decommissioned and is no longer supported.", NOT_FOUND),
        (400, "Unexpected endpoint or method. (POST /api/v1/chat/completions)", NOT_FOUND),
    ] {
        assert_eq!(said(status, message), expected, "{status} {message}");
    }
    let google = json!([{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]);
    assert_eq!(of(400, &google), KEY);
    let region = json!({"error": {"code": "unsupported_country_region_territory", "message": "no"}});
    assert_eq!(of(403, &region), KEY);
}

#[test]
fn a_pause_that_the_message_asks_for_counts() {
    let body = json!({"error": {"message": "Rate limit reached on tokens per minute. Please try again in 7.5s."}}).to_string();
    assert_eq!(refused(429, &body).verdict, Verdict::Wait(std::time::Duration::from_millis(7_500)));
}

#[test]
fn a_quota_of_a_day_disables_and_a_limit_of_a_minute_pauses() {
    let groq = "on tokens per day (TPD): Limit 100000, Used 99900, Requested 300. Please try again in 2m52s.";
    let minute = "Rate limit reached on tokens per minute (TPM): Limit 6000, Used 5900. Please try again in 7.5s. \
        Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing";
    for (status, message, expected) in [
        (429, format!("Rate limit reached for model `x` {groq}").as_str(), QUOTA),
        (429, "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day", QUOTA),
        (429, "you have used up your daily free allocation of 10,000 neurons", QUOTA),
        (403, "Daily Limit Exceeded", QUOTA),
        (429, "You are using a Trial key, which is limited to 1000 API calls / month.", QUOTA),
        (429, "You have exceeded today's quota for model x, please try again tomorrow", QUOTA),
        (429, "该 API 已达今日调用次数限额", QUOTA),
        (429, "Monthly quota reached", QUOTA),
        (429, "Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 43200 seconds", QUOTA),
        (429, "You exceeded your current quota, please check your plan and billing details.", QUOTA),
        (429, minute, BUSY),
        (429, "Rate limit exceeded: free-models-per-min.", BUSY),
        (403, "User Rate Limit Exceeded", BUSY),
        (429, "have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 20 seconds.", BUSY),
        (429, "This request would exceed your organization's rate limit of 30,000 input tokens per minute", BUSY),
        (429, "Quota exceeded for online_prediction_requests_per_base_model with base model: gemini", BUSY),
        (429, "Resource has been exhausted (e.g. check quota).", BUSY),
        (
            429,
            "on requests per min (RPM): Limit 3, Used 3. You can increase your rate limit by adding a payment method to your account at \
            https://platform.openai.com/account/billing.",
            BUSY,
        ),
        (429, "Your account reached max RPM: 3, please try again after 1 seconds", BUSY),
        (503, "Service unavailable, retry in 20s", DOWN),
        (409, "Endpoint is initializing, try again", DOWN),
        (400, "The model is warming up. Please retry shortly.", DOWN),
        (400, "Model unloaded.", DOWN),
        (498, "Flex tier capacity exceeded", (ErrorCode::Overloaded, Verdict::BackOff)),
        (503, "the load balancer has exhausted its upstreams", DOWN),
        (504, "context deadline exceeded", DOWN),
    ] {
        assert_eq!(said(status, message), expected, "{status} {message}");
    }
    let gemini = |quota: &str| {
        json!({"error": {"code": 429, "message": "You exceeded your current quota, please check your plan and billing details.", "status": "RESOURCE_EXHAUSTED",
            "details": [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota}]},
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "36s"}]}})
    };
    assert_eq!(of(429, &gemini("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")), BUSY);
    assert_eq!(of(429, &gemini("GenerateRequestsPerDayPerProjectPerModel-FreeTier")), QUOTA);
    assert_eq!(of(403, &json!({"error": {"code": 403, "errors": [{"reason": "userRateLimitExceeded"}], "message": "no"}})), BUSY);
    assert_eq!(of(403, &json!({"error": {"code": 403, "errors": [{"reason": "dailyLimitExceeded"}], "message": "no"}})), QUOTA);
    for code in ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "organization_spend_limit_exceeded"] {
        assert_eq!(of(429, &json!({"error": {"message": "m", "code": code}})), QUOTA, "{code}");
    }
    let type_only = json!({"error": {"message": "m", "type": "insufficient_quota", "code": "429"}});
    assert_eq!(of(429, &type_only), BUSY, "routers use the types with another meaning");
}

#[test]
fn one_articles_fault_is_the_articles() {
    for (status, message) in [
        (403, "x requires moderation on ProviderX. Your input was flagged for \"violence\". No credits were charged."),
        (400, "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."),
        (400, "Input data may contain inappropriate content."),
        (400, "Output blocked by content filtering policy"),
        (424, "Prompt blocked due to security configurations"),
        (400, "The request was rejected because it was considered high risk"),
        (403, "Sorry, you have been blocked. Several actions could trigger this, including submitting a certain word or phrase."),
    ] {
        assert_eq!(said(status, message), REFUSED, "{status} {message}");
    }
    assert_eq!(of(400, &json!({"code": "DataInspectionFailed", "message": "no"})), REFUSED);
}

#[test]
fn a_text_that_is_too_long_is_recognised_in_anybodys_words() {
    for (status, message) in [
        (
            400,
            "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4260 in the messages, 740 in the completion).",
        ),
        (400, "'max_tokens' is too large: 740. This model's maximum context length is 4096 tokens and your request has 4000 input tokens"),
        (400, "The input (4096 tokens) is longer than the model's context length (2048 tokens)."),
        (
            422,
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1887 `inputs` tokens and 740 `max_new_tokens`",
        ),
        (422, "Input validation error: `inputs` must have less than 1024 tokens. Given: 2000"),
        (400, "litellm.ContextWindowExceededError: no"),
        (400, "the request exceeds the available context size, try increasing it"),
        (400, "input length exceeds the context length"),
        (400, "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000."),
        (400, "Input is too long for requested model."),
        (400, "Range of input length should be [1, 6000]"),
        (400, "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        (400, "prompt is too long: 210000 tokens > 200000 maximum"),
        (400, "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000"),
        (429, "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000, please reduce your message size"),
        (413, "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 9000"),
        (400, "Your request exceeded model token limit: 8192"),
        (400, "The prompt has 5000 tokens, the limit is 4096"),
        (400, "Malformed input request: expected maxLength: 2048, actual: 5000, please reformat your input and try again."),
        (500, "context size exceeded"),
        (500, "input is too large to process. increase the physical batch size (current batch size: 512)"),
        (500, "Encountered an error when fetching new request: Prompt length (2800) exceeds maximum input length (2048)."),
        (400, "The input token count is 2800 but model only supports up to 2048"),
        (400, "The model supports up to 2048 input tokens, but received 2800 tokens."),
        (400, "length of prompt_tokens (2800) must be less than max_seq_len (2048)."),
        (400, "requested tokens 2800 > max 2048"),
        (400, "Prompt 超长"),
        (400, "输入长度超过模型最大长度限制"),
        (
            400,
            "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens",
        ),
    ] {
        assert_eq!(said(status, message), TOO_LARGE, "{status} {message}");
    }
}

#[test]
fn a_refused_parameter_is_recognised() {
    for (status, message, code) in [
        (
            400,
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            ErrorCode::NoMaxTokens,
        ),
        (422, "max_completion_tokens: Extra inputs are not permitted", ErrorCode::NoMaxTokens),
        (422, "Input validation error: `temperature` must be greater than 0", ErrorCode::NoTemperature),
        (422, "Input validation error: `temperature` must be strictly positive", ErrorCode::NoTemperature),
        (
            400,
            "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is supported.",
            ErrorCode::NoTemperature,
        ),
        (400, "Invalid parameter: response_format of type json_schema is not supported with this model.", ErrorCode::NoSchema),
        (400, "'response_format.type' must be 'json_object' or 'text'", ErrorCode::NoSchema),
        (400, "This model does not support structured outputs.", ErrorCode::NoSchema),
        (500, "failed to parse grammar", ErrorCode::NoSchema),
        (400, "Unknown parameter: 'response_format.json_schema.strict'", ErrorCode::NoStrict),
        (400, "System role not supported", ErrorCode::NoSystemRole),
        (400, "Developer instruction is not enabled for models/gemma-3-27b-it", ErrorCode::NoSystemRole),
        (500, "Conversation roles must alternate user/assistant/user/assistant/...", ErrorCode::NoSystemRole),
        (400, "Unsupported value: 'messages[0].role' does not support 'system' with this model.", ErrorCode::NoSystemRole),
        (422, "messages[0].role: unknown variant `system`, expected one of `user`, `assistant`", ErrorCode::NoSystemRole),
        (400, "the role of message with even index in the messages must be user or function", ErrorCode::NoSystemRole),
        (500, "`temperature` (=0) has to be a strictly positive float", ErrorCode::NoTemperature),
        (404, "No endpoints found that can handle the requested parameters.", ErrorCode::NoSchema),
        (
            400,
            "max_tokens is too large: 8692. This model supports at most 4096 completion tokens, whereas you provided 8692.",
            ErrorCode::MaxTokensLimit,
        ),
        (400, "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]", ErrorCode::MaxTokensLimit),
    ] {
        assert_eq!(said(status, message), parameter(code), "{status} {message}");
    }
    let raw = "{\"error\":{\"message\":\"Invalid parameter: response_format of type json_schema is not supported with this model.\"}}";
    let routed = json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": raw, "provider_name": "P"}}});
    assert_eq!(of(400, &routed), parameter(ErrorCode::NoSchema));
    let fastapi = json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "max_completion_tokens"], "msg": "Extra inputs are not permitted", "input": 740}]});
    assert_eq!(of(422, &fastapi), parameter(ErrorCode::NoMaxTokens));
    let groq = json!({"error": {"message": "Failed to generate JSON. Please adjust your prompt.", "type": "invalid_request_error",
        "code": "json_validate_failed", "failed_generation": "{ \"translations\""}});
    assert_eq!(of(400, &groq), (ErrorCode::Protocol, Verdict::Once));
    for message in [
        "Generated JSON does not match the expected schema",
        "The model was unable to generate valid JSON",
        "Could not produce structured output",
        "Model output is not valid JSON",
        "1 validation error for list\n  Invalid JSON: EOF while parsing a string at line 1 column 3",
    ] {
        assert_eq!(said(422, message), (ErrorCode::Protocol, Verdict::Once), "{message}");
    }
    let pydantic = |parameter: &str, message: &str| json!({"detail": [{"loc": ["body", parameter], "msg": message, "input": 0}]});
    assert_eq!(of(422, &pydantic("temperature", "Input should be greater than 0")), parameter(ErrorCode::NoTemperature));
    assert_eq!(of(422, &pydantic("max_tokens", "Input should be less than or equal to 4096")), parameter(ErrorCode::MaxTokensLimit));
    assert_eq!(
        of(422, &json!({"error": ["Error in `temperature`: ensure this value is greater than 0"]})),
        parameter(ErrorCode::NoTemperature)
    );
}

#[test]
fn the_limit_that_a_refusal_names_is_kept() {
    let error =
        refused(400, r#"{"error":{"message":"max_tokens is too large: 8692. This model supports at most 4096 completion tokens"}}"#);
    assert_eq!(error.limit, Some(4096));
    assert_eq!(refused(400, r#"{"error":{"message":"no"}}"#).limit, None);
}

#[test]
fn an_echoed_article_decides_nothing() {
    let article =
        "La clef est refusée : « invalid api key », dit le service, et le context length est dépassé, insufficient balance. ".repeat(2);
    for body in [
        json!({"error": {"message": "cannot do this", "input": article}}),
        json!({"error": {"message": format!("cannot do this: \"{article}\"")}}),
        json!({"detail": [{"msg": "cannot do this", "loc": ["body", "messages", 1, "content"], "input": article}]}),
        json!({"error": "cannot do this", "request": {"messages": [{"role": "user", "content": article}]}}),
        json!({"error": {"message": format!("cannot do this: [{{'role': 'user', 'content': '<<0a1b>>\n{article}\n<<0a1b>>'}}]")}}),
    ] {
        assert_eq!(of(400, &body), THIS_ARTICLE, "{body}");
    }
}

#[test]
fn an_error_in_an_answer_is_judged_like_any_other() {
    assert_eq!(of(200, &json!({"error": {"message": "Unauthorized"}})), KEY);
    assert_eq!(of(200, &json!({"error": {"message": "no", "code": 401}})), KEY);
    assert_eq!(of(200, &json!({"error": {"message": "no", "code": "429"}})), BUSY);
    assert_eq!(of(200, &json!({"error": "Unexpected endpoint or method. (POST /api/v1/chat/completions)"})), NOT_FOUND);
    assert_eq!(of(200, &json!({"error": {"message": "something new"}})), DOWN);
    assert_eq!(of(200, &json!({"error": {"message": "Prompt is too long"}})), TOO_LARGE);
}

proptest::proptest! {
    #[test]
    fn no_body_makes_it_panic(body in "([{}\\[\\]:,\"'“»`<> 0-9é]|error|message|max_tokens|at most|context length|\\\\){0,60}") {
        for body in [body.clone(), serde_json::json!({"error": {"message": body}}).to_string()] {
            for status in [200, 400, 429, 500] {
                proptest::prop_assert!(!refused(status, &body).message.is_empty());
            }
        }
    }
}
