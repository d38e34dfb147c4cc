/** Passwords: in assignments, in addresses, on command lines. */
import { isPlaceholder, looksLikePassword, looksRandom } from "./checks.ts";
import type { Detector } from "./detector.ts";

const isMasked = (value: string): boolean => /^[*•]+$/.test(value) || isPlaceholder(value);

export const passwords: readonly Detector[] = [
  {
    kind: "pattern",
    name: "url_credentials",
    family: "password",
    // Everything from the user's colon to the last @ before the path.
    pattern: "//[^\\x00-\\x20/@:\"'<>`\\\\]*(?:@[^\\x00-\\x20/@:\"'<>`\\\\]*)?:(?P<s>[^\\x00-\\x20/\"'<>`\\\\]+)@",
    // JSON may write the slashes as \/\/.
    scan: "[/\\\\]/[^\\x00-\\x20/@:\"'<>]*(?:@[^\\x00-\\x20/@:\"'<>]*)?:[^\\x00-\\x20/\"'<>]+@",
    bounded: false,
    accept: (secret) => !isPlaceholder(secret),
    example: "connecting to postgres://app:mango-River9@db.internal:5432/orders",
    lookalike: "connecting to https://db.internal:5432/orders?notify=ops@db",
  },
  {
    kind: "pattern",
    name: "command_line_credentials",
    family: "password",
    pattern:
      '(?i)\\bcurl\\b(?:[^\\n]|\\\\\\n)*?\\s(?:-u|--user|--proxy-user|-U)[ =]*(?P<s>"[^"\\n]*"(?::"[^"\\n]*")?|\'[^\'\\n]*\'|[^\\s"\':]+:"[^"\\n]*"|[^\\s"\':]+:\'[^\'\\n]*\'|[^\\s"\']+)',
    scan: "(?i)curl",
    bounded: false,
    accept: (secret) => {
      const colon = secret.indexOf(":");
      if (colon < 0 || isPlaceholder(secret)) return false;
      const [user, password] = [secret.slice(0, colon), secret.slice(colon + 1)].map((part) =>
        part.replace(/^["']+|["']+$/g, ""),
      );
      if (password === undefined || password.length < 4) return false;
      return (
        !/^(?:password|passwd|pass|token|secret|pwd|yyy+|xxx+|\$\d)$/i.test(password) &&
        !(isPlaceholder(password) && !/^\{[^}]*\d[^}]*\}$/.test(password)) &&
        !(user ?? "").startsWith("$")
      );
    },
    example: "sh: curl -s -u deploy:mango-River9 https://repo.internal/x",
    lookalike: "sh: curl -s -u deploy https://repo.internal/x",
  },
  {
    kind: "pattern",
    name: "command_line_credentials",
    family: "password",
    pattern:
      "(?i)(?:^|[\\s\"'])--?[a-z0-9-]*(?:password|passwd|secret|token|api-?key|bearer)[ =]+[\"']?(?P<s>[^\\s\"'-][^\\s\"']*)",
    scan: "(?i)password|passwd|secret|token|api-?key|bearer",
    bounded: false,
    accept: (secret, { text, span: [start] }) => {
      const option = text.slice(Math.max(0, start - 40), start);
      return (
        /[\s"']--\S/.test(` ${option}`) &&
        (/pass\w*["' =]+$/i.test(option) ? looksLikePassword(secret) : looksRandom(secret))
      );
    },
    example: "exec: job --db-password mango-River9 --verbose",
    lookalike: "exec: job --password-file /run/x --verbose",
  },
  {
    kind: "name",
    name: "password",
    family: "password",
    names: [
      "password",
      "passwords",
      "passwd",
      "passphrase",
      "passcode",
      "key pwd",
      "db pwd",
      "pwd",
      "sql pass",
      "db pass",
      "user pass",
      "root pass",
      "admin pass",
      "ftp pass",
      "smtp pass",
      "passwort",
      "mot de passe",
      "contraseña",
    ],
    shortNames: ["pw", "psw", "pass", "senha"],
    takesWhole: (value) => !isMasked(value),
    takesText: looksLikePassword,
    example: 'login {"user":"ada","password":"mango-River9"} refused',
    lookalike: "Failed password for invalid user ada from 10.1.2.3 port 22",
  },
  {
    kind: "name",
    name: "password",
    family: "password",
    // What libraries take as user:password in one.
    names: ["user pwd", "user password", "basic auth", "user info"],
    takesWhole: (value) => !isMasked(value),
    takesText: (value) => value.length >= 6 && !isPlaceholder(value) && /[:\d]/.test(value),
    example: 'setopt(PROXY_USERPWD, "ada:mango-River9")',
    lookalike: "setopt(PROXY_USERPWD, userpwd)",
  },
  {
    kind: "pattern",
    name: "password",
    family: "password",
    pattern: '(?i)(?:key|name)="(?:[a-z]*password|[a-z]*secret|[a-z_-]*token)"\\s+value="(?P<s>[^"]+)"',
    scan: '(?i)(?:password|secret|token)"\\s+value=',
    bounded: false,
    accept: looksLikePassword,
    example: '<add key="ClearTextPassword" value="mango-River9" />',
    lookalike: '<add key="ClearTextPassword" value="%FEED_PASSWORD%" />',
  },
];
