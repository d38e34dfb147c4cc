/**
 * Each kind of destination against a server that takes what its provider's documentation lets through and refuses the rest:
 * unknown fields, and what is longer than it may be.
 */
import { randomBytes } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createNotifier, loadConfig, makeWebhookSecret, type Notifier, notifyShape } from "@astralog/chassis";
import { type MailSink, startMailSink } from "@astralog/local";
import { type Destination, type Notice, sealedFor, type Target } from "@astralog/schemas/alerts/index";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { z } from "zod";

const text = (max: number) => z.string().min(1).max(max);

const plain = (max: number) =>
  z.strictObject({ type: z.literal("plain_text"), text: text(max), emoji: z.boolean().optional() });
const markdown = (max: number) =>
  z.strictObject({ type: z.literal("mrkdwn"), text: text(max), verbatim: z.boolean().optional() });
const slackBlock = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("header"), text: plain(150) }),
  z
    .strictObject({
      type: z.literal("section"),
      text: markdown(3_000).optional(),
      fields: z.array(markdown(2_000)).min(1).max(10).optional(),
    })
    .refine(({ text: words, fields }) => words !== undefined || fields !== undefined),
  z.strictObject({
    type: z.literal("actions"),
    elements: z
      .array(z.strictObject({ type: z.literal("button"), text: plain(75), url: z.url().max(3_000) }))
      .min(1)
      .max(25),
  }),
]);
const slack = z.strictObject({
  text: text(40_000),
  attachments: z.array(z.strictObject({ color: text(10), blocks: z.array(slackBlock).min(1).max(50) })).max(100),
});

const textRun = z.strictObject({
  type: z.literal("TextRun"),
  text: z.string(),
  color: z.enum(["Default", "Dark", "Light", "Accent", "Good", "Warning", "Attention"]).optional(),
  weight: z.enum(["Default", "Lighter", "Bolder"]).optional(),
  size: z.enum(["Default", "Small", "Medium", "Large", "ExtraLarge"]).optional(),
  isSubtle: z.boolean().optional(),
  fontType: z.enum(["Default", "Monospace"]).optional(),
});
const teams = z.strictObject({
  type: z.literal("message"),
  summary: z.string().optional(),
  attachments: z.tuple([
    z.strictObject({
      contentType: z.literal("application/vnd.microsoft.card.adaptive"),
      content: z.strictObject({
        $schema: z.literal("http://adaptivecards.io/schemas/adaptive-card.json"),
        type: z.literal("AdaptiveCard"),
        version: z.enum(["1.2", "1.3", "1.4", "1.5"]),
        msteams: z.strictObject({ width: z.literal("Full") }).optional(),
        body: z.array(
          z.strictObject({
            type: z.literal("RichTextBlock"),
            inlines: z.array(textRun).min(1),
            spacing: z.enum(["None", "Small", "Default", "Medium", "Large"]).optional(),
          }),
        ),
        actions: z
          .array(z.strictObject({ type: z.literal("Action.OpenUrl"), title: text(200), url: z.url() }))
          .max(6)
          .optional(),
      }),
    }),
  ]),
});

const discord = z
  .strictObject({
    username: text(80).optional(),
    content: z.string().max(2_000).optional(),
    allowed_mentions: z.strictObject({ parse: z.array(z.enum(["roles", "users", "everyone"])) }).optional(),
    embeds: z
      .array(
        z.strictObject({
          title: text(256),
          description: text(4_096),
          color: z.int().min(0).max(0xffffff),
          timestamp: z.iso.datetime(),
          fields: z
            .array(z.strictObject({ name: text(256), value: text(1_024), inline: z.boolean().optional() }))
            .max(25),
        }),
      )
      .max(10),
  })
  .refine(
    ({ embeds }) =>
      embeds
        .flatMap(({ title, description, fields }) => [
          title,
          description,
          ...fields.flatMap((one) => [one.name, one.value]),
        ])
        .join("").length <= 6_000,
    "6000 characters in all embeds together",
  );

const pagerduty = z
  .strictObject({
    routing_key: z.string().length(32),
    event_action: z.enum(["trigger", "acknowledge", "resolve"]),
    dedup_key: text(255),
    client: z.string().optional(),
    client_url: z.url().optional(),
    payload: z
      .strictObject({
        summary: text(1_024),
        source: text(10_000),
        severity: z.enum(["critical", "error", "warning", "info"]),
        timestamp: z.iso.datetime().optional(),
        ...{ component: z.string().optional(), group: z.string().optional(), class: z.string().optional() },
        custom_details: z.record(z.string(), z.unknown()).optional(),
      })
      .optional(),
    links: z.array(z.strictObject({ href: z.url(), text: z.string() })).optional(),
  })
  .refine(({ event_action: action, payload }) => action !== "trigger" || payload !== undefined, "payload");

const opsgenie = z.strictObject({
  message: text(130),
  alias: text(512),
  description: z.string().max(15_000),
  details: z
    .record(z.string(), z.string())
    .refine((details) => Object.entries(details).flat().join("").length <= 8_000, "8000 characters in all details"),
  entity: z.string().max(512),
  source: text(100),
  priority: z.enum(["P1", "P2", "P3", "P4", "P5"]),
  tags: z.array(text(50)).max(20),
});
const opsgenieClose = z.strictObject({ source: text(100), note: text(25_000), user: text(100).optional() });

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}
const got: Got[] = [];
let server: Server;
let sink: MailSink;
let notifier: Notifier;
let origin: string;

/** As the provider has it: 202 or 200 for what it understands, 400 for the rest. */
const shapeOf = (path: string): z.ZodType => {
  if (path === "/v2/enqueue") return pagerduty;
  if (path === "/v2/alerts") return opsgenie;
  if (path.startsWith("/v2/alerts/")) return opsgenieClose;
  return { "/slack": slack, "/teams": teams, "/discord": discord }[path] ?? z.never();
};
const wrongs: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const { url: path = "", headers } = request;
      const raw = Buffer.concat(pieces);
      const body: unknown = JSON.parse(raw.toString());
      const read = shapeOf(path).safeParse(body);
      // Teams refuses what is larger, whatever is in it.
      const fits = path !== "/teams" || raw.length <= 28 * 1_024;
      got.push({ path, headers, body });
      if (!read.success) wrongs.push(`${path} ${z.prettifyError(read.error)}`);
      if (!fits) wrongs.push(`${path} has ${raw.length} bytes`);
      response.writeHead(read.success && fits ? 202 : 400).end();
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  sink = await startMailSink({ smtp: 0, page: 0 });
  const config = loadConfig(notifyShape, {
    ...{ ALERTS_KEY: randomBytes(32).toString("base64"), OUTGOING_ALLOWED: "127.0.0.0/8", MAIL_URL: sink.smtp },
    ...{ PAGERDUTY_URL: origin, PAGERDUTY_EU_URL: origin, OPSGENIE_URL: origin, OPSGENIE_EU_URL: origin },
  });
  notifier = createNotifier(config);
});
afterAll(async () => {
  notifier?.close();
  await sink?.close();
  server?.closeAllConnections();
  server?.close();
});
beforeEach(() => {
  got.length = 0;
  wrongs.length = 0;
});

const routingKey = "R".repeat(32);
const target = (kind: Target["kind"]): Target => {
  const secrets = {
    ...{ slack: { url: `${origin}/slack` }, teams: { url: `${origin}/teams` }, discord: { url: `${origin}/discord` } },
    ...{ pagerduty: { key: routingKey }, opsgenie: { key: "genie key" }, webhook: { secret: makeWebhookSecret() } },
    email: {},
  }[kind];
  const settings = { pagerduty: { region: "us" }, opsgenie: { region: "eu" }, email: { to: ["ada@example.com"] } };
  return {
    ...{ id: `dst_${kind}`, tenant: "tn", name: kind, kind, template: { title: "", text: "" }, standard: false },
    ...{ settings: settings[kind as "email"] ?? {}, version: 1, disabled: false },
    sealed: notifier.sealer.seal(sealedFor("tn", `dst_${kind}`), JSON.stringify(secrets)),
  } as Destination as Target;
};

const noticeOf = (words: string, happening: Notice["happening"] = "began", count = 1): Notice => ({
  ...{ id: "ntf_1", happening, state: happening === "ended" ? "resolved" : "firing", at: "2026-01-05T09:00:00.000Z" },
  organization: "tn",
  rule: {
    ...{
      id: "errors",
      name: words || "Errors",
      severity: "critical",
      query: words,
      description: words,
      owners: [words],
    },
    ...{ labels: { team: words }, runbook: "https://example.com/run" },
  },
  incidents: Array.from({ length: count }, (_, i) => ({
    ...{ id: `${i}`.padStart(32, "0"), transition: "", group: { service: words }, state: "firing" as const },
    ...{ since: "2026-01-05T08:59:00.000Z", until: "", found: `12 events, more than 10 ${words}`, value: 12 },
    ...{ threshold: 10, complete: 1, lines: [words], search: "https://a.example/explore?q=1" },
    page: "https://a.example/alerts/incidents/0",
  })),
  more: 0,
});

const kinds = ["slack", "teams", "discord", "pagerduty", "opsgenie"] as const;
const happenings = ["began", "lasts", "ended", "test"] as const;

test.each(kinds)("%s takes each message, short, empty or far too long", async (kind) => {
  for (const happening of happenings)
    for (const words of ["checkout", "", "ß€😀".repeat(5_000), '<a href="x">*_~`|[]()#@ \\'.repeat(900)])
      for (const count of [1, 20]) await notifier.attempt(target(kind), noticeOf(words, happening, count));
  expect(wrongs).toEqual([]);
  expect(got).toHaveLength(32);
});

test("pagers are called with their keys, and by the incident's own name for its beginning and its end", async () => {
  for (const kind of ["pagerduty", "opsgenie"] as const)
    for (const happening of ["began", "ended"] as const)
      await notifier.attempt(target(kind), noticeOf("shop", happening));
  const name = `astralog/${"0".repeat(32)}`;
  expect(got.map(({ path }) => path)).toEqual([
    ...["/v2/enqueue", "/v2/enqueue", "/v2/alerts"],
    `/v2/alerts/${encodeURIComponent(name)}/close?identifierType=alias`,
  ]);
  expect(got[0]?.body).toMatchObject({ routing_key: routingKey, event_action: "trigger", dedup_key: name });
  expect(got[1]?.body).toMatchObject({ routing_key: routingKey, event_action: "resolve", dedup_key: name });
  expect(got[2]?.body).toMatchObject({ alias: name, priority: "P1" });
  for (const { headers } of got.slice(2)) expect(headers.authorization).toBe("GenieKey geniekey");
});

test("a mail server takes a mail that says what happened, since when, how much, and links to the search", async () => {
  expect(await notifier.attempt(target("email"), noticeOf("shop"))).toEqual({ kind: "taken" });
  const [mail] = sink.mails();
  expect(mail).toMatchObject({ to: ["ada@example.com"], subject: "[critical] shop: firing for service=shop" });
  for (const part of ["12 events, more than 10", "since 2026-01-05 08:59:00 UTC", "https://a.example/explore?q=1"]) {
    expect(mail?.text).toContain(part);
    expect(mail?.html).toContain(part);
  }
  // Nothing that a log line says is markup.
  await notifier.attempt(target("email"), noticeOf("<img src=x onerror=alert(1)>\r\nBcc: eve@example.com"));
  const [hostile] = sink.mails();
  expect(hostile?.html).not.toContain("<img");
  expect(hostile?.to).toEqual(["ada@example.com"]);
  expect(hostile?.subject).not.toMatch(/[\r\n]/);
});
