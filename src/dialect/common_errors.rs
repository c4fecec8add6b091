//! The error rules for every service, tried from top to bottom: the rules about the message come
//! before those about the status alone. docs/services.md lists them, and a test keeps it up to
//! date.

use super::error_rules::{ErrorRule, Statuses, by_status, not_busy, on, refusal, says};
use crate::model::{ErrorCode, Verdict};

/// The rules for every service. Any other 4xx status rejects this article alone.
pub(super) const COMMON: &[ErrorRule] = &[
    // Plain HTTP on a TLS port of nginx, Go and Apache.
    on(&[400], &["https port", "https server", "ssl enabled server port"], Verdict::Stop, ErrorCode::Tls),
    says(BAD_KEY, Verdict::Stop, ErrorCode::KeyRefused),
    refusal(WRONG_REGION, Verdict::Stop, ErrorCode::KeyRefused),
    says(REFUSED_TEXT, Verdict::Never, ErrorCode::Refused),
    says(NO_BALANCE, Verdict::Stop, ErrorCode::Quota),
    says(TOO_LARGE, Verdict::Never, ErrorCode::TooLarge),
    refusal(LONG_QUOTA, Verdict::Stop, ErrorCode::Quota),
    refusal(SHORT_LIMIT, Verdict::BackOff, ErrorCode::Busy),
    not_busy(HIGH_TOKEN_LIMIT, Verdict::Never, ErrorCode::MaxTokensLimit),
    refusal(
        &["overloaded/over capacity/at capacity/capacity exceeded/too busy/server is busy/server busy"],
        Verdict::BackOff,
        ErrorCode::Overloaded,
    ),
    refusal(NOT_READY, Verdict::BackOff, ErrorCode::Unavailable),
    // The model wrote no valid JSON, and the service checked it.
    says(UNUSABLE_ANSWER, Verdict::Once, ErrorCode::Protocol),
    not_busy(WRONG_TOKEN_PARAMETER, Verdict::Never, ErrorCode::NoMaxTokens),
    says(NO_SYSTEM_ROLE, Verdict::Never, ErrorCode::NoSystemRole),
    // transformers' message comes with status 500.
    says(&["temperature … strictly positive/has to be/must be"], Verdict::Never, ErrorCode::NoTemperature),
    not_busy(&["temperature"], Verdict::Never, ErrorCode::NoTemperature),
    not_busy(
        &[
            "schema.strict/schema strict/strict mode/strict parameter/parameter strict/parameter: strict/strict: ",
            "strict … not supported/unsupported",
        ],
        Verdict::Never,
        ErrorCode::NoStrict,
    ),
    // llama-cpp-python answers unknown types with status 500.
    says(NO_SCHEMA, Verdict::Never, ErrorCode::NoSchema),
    not_busy(PROBABLY_TOO_LARGE, Verdict::Never, ErrorCode::TooLarge),
    refusal(&["billing/payment method/top up/recharge/usage limit", "exceed … current quota"], Verdict::Stop, ErrorCode::Quota),
    not_busy(&["quota … exceed/exhaust/used up/reached", "exceed … quota", "out of quota"], Verdict::Stop, ErrorCode::Quota),
    // LocalAI's answer to a model that it does not have.
    on(&[500], &["could not load model … not found"], Verdict::Stop, ErrorCode::NotFound),
    refusal(NO_MODEL, Verdict::Stop, ErrorCode::NotFound),
    refusal(NO_PATH, Verdict::Stop, ErrorCode::NotFound),
    refusal(&["unauthorized/unauthorised/not authorized", "authentication"], Verdict::Stop, ErrorCode::KeyRefused),
    by_status(&[401, 403, 407], Verdict::Stop, ErrorCode::KeyRefused),
    by_status(&[402], Verdict::Stop, ErrorCode::Quota),
    by_status(&[404, 405], Verdict::Stop, ErrorCode::NotFound),
    by_status(&[413, 414], Verdict::Never, ErrorCode::TooLarge),
    by_status(&[429], Verdict::BackOff, ErrorCode::Busy),
    by_status(&[408, 424, 425, 499], Verdict::BackOff, ErrorCode::Unavailable),
    by_status(&[529], Verdict::BackOff, ErrorCode::Overloaded),
    ErrorRule { statuses: Statuses::Failures, phrases: &[], verdict: Verdict::BackOff, error: ErrorCode::Unavailable },
];

const BAD_KEY: &[&str] = &[
    "invalid/incorrect/wrong/bad/unknown/missing/expired/revoked/disabled + api key/apikey/x api key/api token/access token/auth token/subscription key/auth key/credential",
    "api key/apikey/api token/access token … invalid/incorrect/not valid/not found/not exist/not recognized/expired/revoked/disabled/missing/required/not provided/leaked",
    "provide/get/supply/without/pass/need/missing + an api key/any api key/a valid api key/your api key",
    "no api key/no apikey/no auth/no credentials",
    "authentication failed/authentication failure/authentication error/authentication required/unauthenticated/invalid authentication",
    "security token … invalid/expired",
    "organization has been + disabled/suspended",
    "account … suspended/deactivated/disabled/flagged/banned/terminated/blocked",
    "login fail/token expired/token is expired/token has expired",
    "令牌/密钥/authorization token/api key/apikey … 无效/非法/过期/错误",
    "无效的/非法的 + 令牌/密钥/token/api key",
    // LiteLLM without a database: the key is not the master key.
    "no connected db",
];

const WRONG_REGION: &[&str] = &[
    "unsupported country/unsupported region/unsupported location",
    "not available/not supported/unavailable/not allowed/not permitted/blocked … country/region/territory/location",
    "country/region/territory/location … not available/not supported/unavailable/not allowed/unsupported/restricted",
];

/// Only this article is refused, whatever the status: a router refuses flagged input with 403.
const REFUSED_TEXT: &[&str] = &[
    "input/prompt/content/text/request/message/output … flagged",
    "moderation",
    "content filter/content filtering/content policy/content management policy/content moderation/content violat",
    "responsible ai policy/usage policy violation/violates our usage policies/violated our usage",
    "safety system/safety filter/safety policy/safety check/safety reasons",
    "input/output/prompt + new sensitive/sensitive/is sensitive",
    "data inspection failed/inappropriate content/prohibited content/sensitive content/sensitive words/harmful",
    // A web firewall found a suspicious word in the text.
    "submitting a certain word or phrase",
    "prompt/input/request/response … blocked due to",
    "considered high risk/guardrail was/guardrail violat/violated guardrail/blocked by guardrail",
];

/// Phrases that never mean a rate limit: an empty account stays empty, whatever the status.
const NO_BALANCE: &[&str] = &[
    "insufficient balance/insufficient credit/insufficient fund/insufficient quota/insufficient account balance/insufficient user balance",
    "balance + insufficient/is insufficient/too low/is too low/exhausted/is exhausted/not enough/is not enough/not sufficient/is not sufficient/is negative",
    "not enough credit/not enough balance/not enough fund/not enough quota/not sufficient fund",
    "credit balance/credits have run out",
    "credits … exhausted/depleted/used up",
    "out of credit/out of fund/requires more credit/no credits left/no credits remaining/no remaining credits",
    "have any credits/key limit exceeded/insufficient user quota/额度不足/剩余额度/预扣费",
    "free tier/free quota/free allocated quota … exhausted/exceeded/used up",
    "payment required/past due/arrear/good standing/余额不足/欠费",
    "billing hard limit/billing not active/billing error/billing is not/billing to be enabled/enable billing/billing account",
    "spend limit/spending limit/spending cap",
    "budget … exceeded/exhausted",
    "exceeded … budget",
];

const TOO_LARGE: &[&str] = &[
    "maximum context/context length/context size/context limit/context overflow",
    "exceed … context",
    "inputs tokens/input length and max tokens",
    "request too large/prompt too large/payload too large/input too large/request entity too large/request body too large",
    "reduce your message/reduce the length/reduce your prompt/reduce the input",
    "prompt length/input length/sequence length … exceed",
    "input is too large to process",
];

const PROBABLY_TOO_LARGE: &[&str] = &[
    "context window/n ctx",
    "prompt/input/inputs/text/message/messages/request/content/query/document … too long",
    "too many tokens/too many input tokens/too many characters/token limit/text limit",
    "token count/tokens … exceed/greater than/longer than/more than",
    "input/prompt/text/request … exceed/longer than",
    "input/prompt/request … tokens … limit/maximum",
    "exceed … tokens/length/characters",
    "input/inputs/prompt/text/messages … less than/at most/fewer than/limited to/maximum of … tokens/characters",
    "range of input length/input length/prompt length/sequence length/maximum length/max length/maximum input/max input",
    "reduce … length/input/prompt/size/tokens",
    "above max length/shorten/shorter/too large",
    "max seq len/max model len/maximum model len",
    "tokens/token count/length … up to/only supports/must be less than/should be less than/over limit",
    "up to … input tokens/prompt tokens",
    "requested tokens/prompt tokens/input tokens … >",
    "输入/内容/长度/文本/prompt/token … 过长/超长/太长/超过/超出",
];

/// A quota that is not renewed during the night.
const LONG_QUOTA: &[&str] = &[
    "per day/by day/rpd/tpd/per month/per week",
    "daily/monthly/weekly … limit/quota/allowance/allocation/usage/requests/tokens/credits",
    "limit/quota … daily/monthly/weekly/a day/each day/for the day/for today/24 hours/24h/this month/per 86400s",
    "limited to … calls/requests/tokens … day/month",
    "todays quota/todays limit/try again tomorrow/come back tomorrow/今日/每日/每天/本月/每月",
];

const NOT_READY: &[&str] = &[
    "is loading/currently loading/loading model/still loading/being loaded",
    "warming up/waking up/starting up/scaling up/initializing/initialising/cold start/not ready/not yet ready",
    "model unloaded/model was unloaded/model has been unloaded/model is not loaded yet",
];

const SHORT_LIMIT: &[&str] = &[
    "rate limit/ratelimit/per minute/per min/per second/per hour/rpm/tpm/rps/qps",
    "too many requests/too many concurrent/concurrency limit/parallel requests/slow down/throttl",
    "retry in/retry after/retry delay/try again in/try again after",
];

const HIGH_TOKEN_LIMIT: &[&str] = &[
    "max tokens/max completion tokens/max output tokens/max new tokens/maximum tokens/num predict … too large/too high/at most/must be/less than/lower than/range/maximum/exceed/limit/up to/between/<=/>/范围/最大/超过",
    "range/limit/maximum … max tokens/max completion tokens/max output tokens/max new tokens",
];

const UNUSABLE_ANSWER: &[&str] = &[
    "json validate failed/json validation failed/failed generation/tool use failed",
    "failed to/unable to/could not/cannot/did not + generate/produce/return/create + json/valid/a valid/structured/well formed",
    "generated/produced … invalid json/not match/not valid json/not conform",
    "model/output/generation … not valid json/invalid json/malformed json",
    // vLLM checks the model's answer with pydantic.
    "validation error … invalid json: eof/json invalid",
    "parse model output/parse the model/parse generated/parse tool call/validate generated/validate the generated",
];

const WRONG_TOKEN_PARAMETER: &[&str] = &[
    "max tokens/max completion tokens … not supported/unsupported/unknown/unrecognized/unexpected/not permitted/not allowed/deprecated/extra",
    "unsupported/unknown/unrecognized/unexpected/extra/not support … max tokens/max completion tokens",
    "use max completion tokens/use max tokens",
];

const NO_SYSTEM_ROLE: &[&str] = &[
    "system role/role system/role: system/invalid role",
    "system message/system prompt/system instruction/developer instruction/developer role/developer message … not supported/not support/unsupported/not enabled/not allowed/not permitted",
    "not support/unsupported … system message/system prompt/system instruction/developer instruction/developer role/developer message",
    "roles must alternate/only user and assistant/only user, assistant/system is not one of",
    "role … not support/unsupported/unknown variant/must be/should be/expected one of",
    "should be user or assistant",
];

const NO_SCHEMA: &[&str] = &[
    "response format/json schema/json object/json mode/structured output/grammar/guided json/guided decoding",
    // OpenRouter finds no provider that knows all parameters.
    "handle the requested parameters/support the requested parameters",
    "output config/output format/response schema/response json schema/response mime type",
    "schema … not supported/unsupported/invalid/not allowed",
    "invalid/unsupported … schema",
];

const NO_MODEL: &[&str] = &[
    "model … not found/not exist/no longer/decommissioned/been deprecated/been retired/not a valid model",
    "unknown model/no such model/unrecognized model/unsupported model/invalid model name/invalid model id/model is not supported/model not supported/model not available",
    "not a valid model/permitted models/model identifier is invalid/invalid model: /no models loaded/no model loaded",
    "not a chat model/does not support chat",
    "model id … isnt supported",
    "access to model/access to the model/access to this model/no endpoints found",
    "deployment … not exist",
];

const NO_PATH: &[&str] = &[
    "unexpected endpoint/unknown endpoint/unknown path/unknown route/unknown url/unknown request url/invalid url/cannot post/no route/no such route",
];
