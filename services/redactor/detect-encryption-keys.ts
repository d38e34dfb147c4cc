/** Private and symmetric keys. */
import { looksRandom } from "./checks.ts";
import type { Detector } from "./detector.ts";

// A line break may be real, escaped once or more, or a blank after a client flattened it.
const blank = "(?:\\s|\\\\+[nrt])";

export const encryptionKeys: readonly Detector[] = [
  {
    kind: "pattern",
    name: "private_key",
    family: "encryption_key",
    // To the end marker, or as far as it looks like a key when the end was cut off.
    pattern: `-----BEGIN[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]*-----END[ A-Z0-9]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:${blank}|[A-Za-z0-9+/=:,.-])*)`,
    scan: "-----BEGIN[ A-Z0-9]*PRIVATE KEY",
    bounded: false,
    example: `loaded -----BEGIN ${"PRIVATE"} KEY-----\nQm7Xk2Vt9Zn4Bw6H\n-----END PRIVATE KEY----- from disk`,
    lookalike: "loaded -----BEGIN PUBLIC KEY-----\nQm7Xk2Vt9Zn4Bw6H\n-----END PUBLIC KEY----- from disk",
  },
  {
    kind: "pattern",
    name: "private_key",
    family: "encryption_key",
    // The DER headers of RSA, EC and PKCS#8 keys and OpenSSH's magic, without their PEM frame.
    pattern: `(?:MII[A-Za-z0-9+/]{2}[gI]IBAA[A-Za-z0-9+/]|MII[A-Za-z0-9+/]{2,3}IBA[ADAJK][A-Za-z0-9+/]|MII[A-Za-z0-9+/]{3}(?:AgEA|IBADAN)[A-Za-z0-9+/]|MI[GH][A-Za-z0-9+/]AgEAMBMGBy|MHcCAQEE|MC4CAQAwBQYDK2Vw|b3BlbnNzaC1rZXktdjEA)[A-Za-z0-9+/]{20,}(?:${blank}{1,40}[A-Za-z0-9+/]{16,})*={0,2}`,
    scan: "MII[A-Za-z0-9+/]{2}|MI[GH][A-Za-z0-9+/]AgEA|MHcCAQEE|MC4CAQAw|b3BlbnNzaC1r",
    bounded: false,
    example: `data: MHcC${"AQEE"}Qm7Xk2Vt9Zn4Bw6Hd1Rs8Lp3Jf5Gc0`,
    lookalike: "data: MHcCAQEE",
  },
  {
    kind: "pattern",
    name: "private_key",
    family: "encryption_key",
    pattern: "LS0tLS1CRUdJTi[A-Za-z0-9+/]{30,}={0,2}",
    scan: "LS0tLS1CRUdJTi",
    bounded: false,
    accept: (secret) => /PRIVATE/.test(Buffer.from(secret.slice(0, 80), "base64").toString("latin1")),
    example: `kube data ${Buffer.from(`-----BEGIN EC ${"PRIVATE"} KEY-----\nabc`).toString("base64")}`,
    lookalike: `kube data ${Buffer.from("-----BEGIN CERTIFICATE-----\nabcdefg").toString("base64")}`,
  },
  {
    kind: "pattern",
    name: "age_secret_key",
    family: "encryption_key",
    pattern: "AGE-SECRET-KEY-1[0-9A-Z]{58}",
    scan: "AGE-SECRET-KEY-1",
    example: `age: AGE-SECRET-${"KEY"}-1${"Q7M2X9K4V1T8Z3N6B5W0".repeat(3).slice(0, 58)}`,
    lookalike: "age: AGE-SECRET-KEY-1 expected",
  },
  {
    kind: "pattern",
    name: "jwk_private",
    family: "encryption_key",
    pattern: '"(?:d|k|p|q|dp|dq|qi)\\\\*"\\s*:\\s*\\\\*"(?P<s>[A-Za-z0-9_-]{20,})',
    scan: '"(?:d|k|p|q|dp|dq|qi)\\\\*"\\s*:\\s*\\\\*"[A-Za-z0-9_-]',
    bounded: false,
    accept: (secret) => looksRandom(secret) && /[A-Z]/.test(secret) && /[a-z]/.test(secret),
    example: '{"kty":"OKP","d":"Qm7Xk2Vt9Zn4Bw6Hd1Rs8Lp3"}',
    lookalike: '{"unit":"s","d":"20"}',
  },
  {
    kind: "name",
    name: "encryption_key",
    family: "encryption_key",
    names: [
      "private key",
      "encryption key",
      "signing key",
      "ssh key",
      "rsa key",
      "aes key",
      "data key",
      "secret key base",
      "key material",
      "master key",
      "cipher secret",
      "seed phrase",
      "mnemonic",
      "key passwd",
    ],
    takesWhole: (value) => value.length >= 6,
    takesText: looksRandom,
    example: "rotated encryption_key=3f9b0c7d52e8a6143f9b0c7d",
    lookalike: "rotated encryption_key_id=7",
  },
];
