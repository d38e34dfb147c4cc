/**
 * The table. Where two detectors claim the same text, the earlier one names the replacement, so what is exact stands
 * before what goes by a name.
 */
import { apiCredentials } from "./detect-api-credentials.ts";
import { authTokens } from "./detect-auth-tokens.ts";
import { encryptionKeys } from "./detect-encryption-keys.ts";
import { passwords } from "./detect-passwords.ts";
import { paymentCards } from "./detect-payment-cards.ts";
import { personal } from "./detect-personal.ts";
import { sessions } from "./detect-sessions.ts";
import type { Detector, NameDetector, PatternDetector } from "./detector.ts";

export const detectors: readonly Detector[] = [
  ...encryptionKeys,
  ...apiCredentials,
  ...paymentCards,
  ...sessions,
  ...passwords,
  ...authTokens,
  ...personal,
];

export const patternDetectors = detectors.filter((d): d is PatternDetector => d.kind === "pattern");
export const nameDetectors = detectors.filter((d): d is NameDetector => d.kind === "name");
