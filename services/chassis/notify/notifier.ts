/**
 * One try to bring a notice to a target, whatever its kind. The api tests and repeats with it what the alerter delivers
 * with it, so what is tried is what will come.
 */
import {
  type DestinationSecrets,
  type Notice,
  type Region,
  sealedFor,
  type Target,
} from "@astralog/schemas/alerts/index";
import { type Config, field, type Shape } from "../config.ts";
import { createMailTransport, type MailTransport } from "../mail-transport.ts";
import { createOutgoing, type Outgoing, type OutgoingOptions } from "../outgoing.ts";
import { createSealer, type Sealer } from "../sealing.ts";
import { tryPost, tryWebhook, type WebhookOutcome } from "../webhook.ts";
import { discordMessage, slackMessage, teamsMessage } from "./chats.ts";
import { mailOf } from "./mails.ts";
import { opsgenieCall, pagerdutyEvent } from "./pagers.ts";
import { type Words, wordsOf } from "./words.ts";

/** What every service that brings notices reads. */
export const notifyShape = {
  ALERTS_KEY: field.key256(
    "Key that the secrets of alerts' destinations are sealed with; api and alerter have the same.",
  ),
  ALERTS_KEYS_BEFORE: field.keys256("Keys that were ALERTS_KEY before; the api seals anew at its start.", ""),
  MAIL_URL: field.secret("smtp:// or smtps:// of the server that takes mail; empty keeps mail until there is one.", ""),
  MAIL_FROM: field.text("Sender of the mail.", "Astralog <astralog@localhost>"),
  OUTGOING_ALLOWED: field.list(
    "CIDR blocks that customers' addresses may lead to though they are not public, such as one's own identity provider's.",
    "",
  ),
  PAGERDUTY_URL: field.url("PagerDuty's Events API.", "https://events.pagerduty.com"),
  PAGERDUTY_EU_URL: field.url("The same of its European region.", "https://events.eu.pagerduty.com"),
  OPSGENIE_URL: field.url("Opsgenie's API.", "https://api.opsgenie.com"),
  OPSGENIE_EU_URL: field.url("The same of its European region.", "https://api.eu.opsgenie.com"),
} satisfies Shape;

export interface Notifier {
  readonly sealer: Sealer;
  readonly outgoing: Outgoing;
  /** Rejects with nothing but what is wrong here, such as a secret that does not open. */
  attempt(target: Target, notice: Notice, signal?: AbortSignal): Promise<WebhookOutcome>;
  close(): void;
}

/** Pages are one incident each: what opens and closes them is the incident's own key. */
export const isPager = ({ kind }: Pick<Target, "kind">): boolean => kind === "pagerduty" || kind === "opsgenie";

/** As Standard Webhooks has it: a type, a time, the data. */
const webhookBody = (notice: Notice): string => {
  const state = notice.happening === "test" ? "test" : notice.happening === "ended" ? "resolved" : notice.state;
  return JSON.stringify({ type: `alert.${state}`, timestamp: notice.at, data: notice });
};

/** A header takes few characters; the wrong ones would be an error of ours at each try. */
const headerText = (text: string): string => text.replace(/[^\x21-\x7e]/g, "");

export const createNotifier = (
  config: Config<typeof notifyShape>,
  {
    mail = createMailTransport(config.MAIL_URL, config.MAIL_FROM),
    resolve,
  }: { mail?: MailTransport | undefined; resolve?: OutgoingOptions["resolve"] } = {},
): Notifier => {
  const sealer = createSealer([config.ALERTS_KEY, ...config.ALERTS_KEYS_BEFORE]);
  const outgoing = createOutgoing({
    allowed: config.OUTGOING_ALLOWED,
    ...(resolve === undefined ? {} : { resolve }),
  });
  const pagerduty: Record<Region, string> = { us: config.PAGERDUTY_URL, eu: config.PAGERDUTY_EU_URL };
  const opsgenie: Record<Region, string> = { us: config.OPSGENIE_URL, eu: config.OPSGENIE_EU_URL };
  const json = { "content-type": "application/json" };

  const send = async (to: readonly string[], notice: Notice, words: Words): Promise<WebhookOutcome> => {
    if (mail === undefined) return { kind: "failed", problem: "This installation has no mail server." };
    const letter = mailOf(notice, words, to);
    try {
      await mail.send(letter.mail, letter.headers);
      return { kind: "taken" };
    } catch (error) {
      const { responseCode } = error as { responseCode?: unknown };
      const why = typeof responseCode === "number" ? `answered ${responseCode}` : "did not take it in time";
      return { kind: "failed", problem: `The mail server ${why}.` };
    }
  };

  return {
    sealer,
    outgoing,
    attempt: (target, notice, signal) => {
      const secrets = (
        target.sealed === "" ? {} : JSON.parse(sealer.open(sealedFor(target.tenant, target.id), target.sealed))
      ) as DestinationSecrets;
      const words = wordsOf(notice, target.template);
      const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
        tryPost(outgoing, url, { headers: { ...json, ...headers }, body: JSON.stringify(body) }, signal);
      switch (target.kind) {
        case "webhook": {
          const overlaps = Date.parse(secrets.before_until ?? "") > Date.now();
          const signers = [secrets.secret, ...(overlaps ? [secrets.before] : [])].filter((one) => one !== undefined);
          const message = { id: notice.id, body: webhookBody(notice) };
          return tryWebhook(outgoing, target.settings.url, signers, message, signal);
        }
        case "slack":
          return post(secrets.url ?? "", slackMessage(notice, words));
        case "teams":
          return post(secrets.url ?? "", teamsMessage(notice, words));
        case "discord":
          return post(secrets.url ?? "", discordMessage(notice, words));
        case "pagerduty": {
          const url = `${pagerduty[target.settings.region].replace(/\/$/, "")}/v2/enqueue`;
          return post(url, pagerdutyEvent(notice, words, secrets.key ?? ""));
        }
        case "opsgenie": {
          const { path, body } = opsgenieCall(notice, words);
          const url = opsgenie[target.settings.region].replace(/\/$/, "") + path;
          return post(url, body, { authorization: `GenieKey ${headerText(secrets.key ?? "")}` });
        }
        case "email":
          return send(target.settings.to, notice, words);
      }
    },
    close: () => mail?.close(),
  };
};
