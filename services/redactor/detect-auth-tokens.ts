/** What is shown to be let in: bearer tokens, JWTs, Authorization headers, and anything named token or secret. */
import { isFiller, isPlaceholder, looksRandom, looksStronglyRandom } from "./checks.ts";
import type { Detector } from "./detector.ts";

const decoded = (text: string): string => Buffer.from(text, "base64").toString("latin1");

/** Counters and switches share names with secrets: 512 prompt tokens. */
const isCount = (value: string): boolean => /^-?[\d.,]{1,12}$/.test(value);

export const authTokens: readonly Detector[] = [
  {
    kind: "pattern",
    name: "jwt",
    family: "auth_token",
    pattern: "ey[A-Za-z0-9_-]{10,}\\.ey[A-Za-z0-9_/-]{8,}(?:\\.[A-Za-z0-9_/-]*)*",
    // `{"` and `{ "` in base64, whatever follows.
    scan: "ey[A-DI-L][A-Za-z0-9_-]{8}",
    accept: (secret) => /^\{\s*"/.test(decoded(secret.slice(0, 24))),
    example: `auth ey${"JhbGciOiJub25lIn0"}.ey${"JzdWIiOiJxdWlsbCJ9"}.Qm7Xk2Vt9Zn4 refused`,
    lookalike: "loaded key.eyebrow.module from cache",
  },
  {
    kind: "pattern",
    name: "jwt",
    family: "auth_token",
    // A JWT that was base64-encoded once more: it begins with "eyJ" either way.
    pattern: "ZXlK[A-Za-z0-9+/_-]{40,}={0,2}",
    scan: "ZXlK[A-Za-z0-9+/_-]",
    accept: (secret) => /^ey[A-Za-z0-9_-]{8,}(?:\.|$)/.test(decoded(secret)),
    example: `auth ZX${"lKaGJHY2lPaUp1YjI1bEluMC5leUp6ZFdJaU9pSnhkV2xzYkNKOS5RbTdYaw"} refused`,
    lookalike: "auth ZXlK refused",
  },
  {
    kind: "pattern",
    name: "authorization",
    family: "auth_token",
    pattern: "(?i)\\bbearer[ :]+[\"']?(?P<s>[A-Za-z0-9._~+/%=:-]{8,})",
    scan: "(?i)bearer[ :]",
    bounded: false,
    accept: (secret) => !isPlaceholder(secret) && !isFiller(secret) && looksRandom(secret.replace(/\./g, "_")),
    example: "GET /me Authorization: Bearer q7m2x9k4v1t8z3n6",
    lookalike: "WWW-Authenticate: Bearer realm=example, error=invalid_request",
  },
  {
    kind: "pattern",
    name: "authorization",
    family: "auth_token",
    pattern: "(?i)\\bbasic[ :]+[\"']?(?P<s>[A-Za-z0-9+/_-]{8,}={0,2})",
    scan: "(?i)basic[ :]",
    bounded: false,
    // Base64 of user:password, and not the words of a sentence.
    accept: (secret) => /^[\x20-\x7e]*:[\x20-\x7e]*$/.test(decoded(secret)),
    example: `proxy: Basic ${Buffer.from("ada:mango-River9").toString("base64")}`,
    lookalike: "the basic settings were loaded",
  },
  {
    kind: "name",
    name: "authorization",
    family: "auth_token",
    names: ["authorization", "proxy authorization", "http authorization", "auth header"],
    takesWhole: (value) => !isPlaceholder(value.replace(/^\w+\s+/, "")),
    takesText: (value) => {
      const [, scheme, rest] = /^([A-Za-z0-9-]+)\s+(.*)$/s.exec(value) ?? [];
      if (scheme === undefined) return looksRandom(value);
      return (
        scheme.toLowerCase() !== "basic" &&
        !isPlaceholder(rest ?? "") &&
        !isFiller(rest ?? "") &&
        looksRandom((rest ?? "").split(/[\s,;]/, 1)[0] ?? "")
      );
    },
    prose: true,
    example: "> Authorization: Token q7m2x9k4v1t8z3n6",
    lookalike: "> Authorization: <your token>",
  },
  {
    kind: "pattern",
    name: "npm_auth",
    family: "auth_token",
    pattern: "_(?:authToken|auth|password)\\s*=\\s*[\"']?(?P<s>[A-Za-z0-9+/=_-]{8,})",
    scan: "_auth|_password",
    bounded: false,
    example: "//registry.internal/:_authToken=q7m2x9k4v1t8",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what an .npmrc holds before substitution
    lookalike: "//registry.internal/:_authToken=${NPM_TOKEN}",
  },
  {
    kind: "pattern",
    name: "aws_signature",
    family: "auth_token",
    pattern: "(?i)(?:X-Amz-)?(?:Signature|Security-Token|Credential)=(?P<s>[A-Za-z0-9%/+=]{40,})",
    scan: "(?i)(?:signature|security-token|credential)=",
    bounded: false,
    example: `GET /obj?X-Amz-Signature=${"3f9b0c7d52e8a614".repeat(4)}`,
    lookalike: "GET /obj?X-Amz-Signature=short",
  },
  {
    kind: "name",
    name: "token",
    family: "auth_token",
    names: [
      "token",
      "tokens",
      "bearer",
      "jwt",
      "otp",
      "one time code",
      "totp secret",
      "oauth verifier",
      "auth code",
      "authorization code",
      "refresh token",
      "saml response",
      "saml assertion",
    ],
    takesWhole: (value) => !isCount(value) && !isPlaceholder(value),
    takesText: (value) => looksRandom(value) && !/^\d+:A/.test(value),
    example: 'retry with refresh_token="q7m2x9k4v1t8z3n6"',
    lookalike: "finished with prompt_tokens=512 and next_token=none",
  },
  {
    kind: "name",
    name: "secret",
    family: "api_credential",
    names: [
      "secret",
      "secrets",
      "access id",
      "credential",
      "credentials",
      "client secret",
      "api key",
      "api keys",
      "access key",
      "access key id",
      "secret key",
      "secret access key",
      "account key",
      "shared access key",
      "shared secret",
      "auth key",
      "master key",
      "service key",
      "app key",
      "api secret",
      "webhook secret",
      "hmac key",
      "consumer key",
      "subscription key",
      "storage key",
      "sas token",
    ],
    shortNames: ["salt", "nonce", "auth"],
    takesWhole: (value) => !isCount(value) && !isPlaceholder(value),
    takesText: looksRandom,
    example: "config: apiKey = 'q7m2x9k4v1t8z3n6'",
    lookalike: "config: apiKey = process.env.API_KEY",
  },
  {
    kind: "name",
    name: "key",
    family: "api_credential",
    names: [],
    shortNames: ["key"],
    // A mere "key" is as often a cache's or a map's; as an attribute's name it says nothing either.
    takesWhole: looksStronglyRandom,
    takesText: looksStronglyRandom,
    example: "loaded key=Qm7Xk2Vt9Zn4Bw6Hd1Rs8Lp3Jf5Gc0aB",
    lookalike: "cache miss key=8f14e45f-ceea-467f-a0e6-3c1b8d1c2a77",
  },
];
