/** Cookies and session ids: whoever has one is that user until it expires. */
import { isPlaceholder, looksRandom } from "./checks.ts";
import type { Detector } from "./detector.ts";

export const sessions: readonly Detector[] = [
  {
    kind: "pattern",
    name: "session_cookie",
    family: "session",
    // The pair goes as a whole: its name says what was in use, which helps only an attacker.
    pattern:
      "(?i)\\b(?:PHPSESSID|JSESSIONID|ASPSESSIONID[A-Z]*|ASP\\.NET_SessionId|\\.ASPXAUTH|connect\\.sid|sessionid|session_id|sessid|laravel_session|_?[a-z0-9_]{0,40}_session|ci_session|express:sess|wordpress_logged_in_[a-z0-9]+|SSID|HSID|SAPISID|__Secure-[a-z0-9.-]+|__Host-[a-z0-9.-]+|sb-access-token|next-auth\\.session-token)=(?P<v>[A-Za-z0-9%._~+/|:-]{12,}=*)",
    scan: "(?i)(?:sessi(?:d|on)[a-z_]*|sess|aspxauth|connect\\.sid|logged_in_[a-z0-9]+|__secure-[a-z0-9.-]+|__host-[a-z0-9.-]+|sid|access-token|session-token)=[a-z0-9%._~+/|:-]",
    bounded: false,
    accept: (secret) =>
      looksRandom(secret.slice(secret.indexOf("=") + 1).replace(/[|.:%]/g, "_")) || /=[A-Za-z0-9%]{24,}/.test(secret),
    example: "GET / cookie JSESSIONID=9F7302958146B0C7D52E8A61 ok",
    lookalike: "GET / cookie JSESSIONID=none-required-here ok",
  },
  {
    kind: "pattern",
    name: "cookie",
    family: "session",
    pattern:
      '(?i)\\b(?:set-)?cookie["\']?\\s*[:=]\\s*(?:["\'](?P<s>[^"\'\\n]*=[^"\'\\n]*)|(?P<u>[A-Za-z0-9_.%-]+=[^\\n"]*))',
    scan: "(?i)cookie",
    bounded: false,
    accept: (secret) =>
      !isPlaceholder(secret.slice(secret.indexOf("=") + 1)) && !/^(?:[^=]*=)?\[redacted:\w+\]$/.test(secret),
    example: "> Cookie: theme=dark; sid=q7m2x9k4v1t8z3n6",
    lookalike: "cookie: disabled by policy",
  },
  {
    kind: "name",
    name: "cookie",
    family: "session",
    names: ["cookie", "cookies", "set cookie"],
    takesWhole: (value) => value.includes("=") || looksRandom(value),
    takesText: (value) => looksRandom(value),
    example: "cookie=q7m2x9k4v1t8z3n6",
    lookalike: "cookie=accepted",
  },
  {
    kind: "name",
    name: "session_id",
    family: "session",
    names: [
      "session id",
      "sess id",
      "session key",
      "session token",
      "phpsess id",
      "jsession id",
      "csrf token",
      "xsrf token",
    ],
    // systemd and sshd count sessions; those numbers are no secret.
    takesWhole: (value) => value.length >= 12 && looksRandom(value),
    takesText: (value) => value.length >= 12 && looksRandom(value),
    example: "resumed session key: q7m2x9k4v1t8z3n6",
    lookalike: "resumed session key: 42",
  },
];
