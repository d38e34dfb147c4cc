/** What people are written about their own account. Addresses come from PUBLIC_URL, never from a request. */
import { type Mail, writeLetter } from "@astralog/chassis";

const ignore = "If this was not you, ignore this mail: nothing happens without the link, and nobody else can use it.";

export const signInLetter = (to: string, url: string, minutes: number): Mail =>
  writeLetter({
    to,
    subject: "Your sign-in link for Astralog",
    paragraphs: [`Here is your link. It works once, for ${minutes} minutes, in the browser that asked for it.`],
    action: { label: "Sign in to Astralog", url },
    foot: ignore,
  });

export const newAddressLetter = (to: string, url: string, minutes: number): Mail =>
  writeLetter({
    to,
    subject: "Confirm your new address for Astralog",
    paragraphs: [
      "This address was given for an Astralog account. Confirm it and sign-in links come here from then on.",
      `The link works once, for ${minutes} minutes, in the browser that asked for it.`,
    ],
    action: { label: "Confirm this address", url },
    foot: ignore,
  });

export const oldAddressLetter = (to: string, now: string): Mail =>
  writeLetter({
    to,
    subject: "Your Astralog account has a new address",
    paragraphs: [
      `Sign-in links for your account now go to ${now}, no longer to this address.`,
      "If this was not you, tell an owner of your organization at once: they can disable the account.",
    ],
  });

export const factorLetter = (to: string, what: string): Mail =>
  writeLetter({
    to,
    subject: "The ways into your Astralog account have changed",
    paragraphs: [
      what,
      "If this was not you, end all sessions on your account page and tell an owner of your organization.",
    ],
  });
