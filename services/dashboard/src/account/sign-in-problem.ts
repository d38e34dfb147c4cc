/** What the sign-in page says when a provider's way in ended there: the address carries a code and nothing else. */
const words: Readonly<Record<string, string>> = {
  sign_in_refused:
    "That account elsewhere opens nothing here: its e-mail is not verified, not invited, or belongs to another account.",
  sign_in_ended: "That sign-in was begun elsewhere, is over, or took too long. Begin again.",
  provider_refused: "The provider did not let you in.",
  provider_failed: "The identity provider does not answer as it should. Try again, or tell whoever runs it.",
  address_refused: "The identity provider's address may not be asked from here. Tell whoever set it up.",
  saml_refused: "The identity provider's message was not accepted. Tell whoever runs it.",
  xml_refused: "The identity provider's message was not accepted. Tell whoever runs it.",
  provider_session_open:
    "You are signed out here. Your identity provider still has its own session: sign out there, too.",
  sso_required: "Your organization wants you to sign in through its own identity provider.",
  not_a_member: "You are no member of that organization. Ask there for an invitation.",
  over_plan: "Your organization's plan has no seat left. Ask there for one.",
  account_disabled: "This account is disabled.",
};

/** Undefined where nothing went wrong. */
export const signInProblem = (search: string): string | undefined => {
  const code = new URLSearchParams(search).get("problem");
  return code === null ? undefined : (words[code] ?? "That did not work. Try again, or use another way.");
};

export const asksForMail = (search: string): boolean => new URLSearchParams(search).get("confirm") === "identity";
