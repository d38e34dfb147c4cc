/** Notices in each receiver's form: nothing that a log line says is markup there, and every limit is kept. */
import { mostIncidents, type Notice } from "@astralog/schemas/alerts/index";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { discordMessage, slackMessage, teamsMessage } from "./chats.ts";
import { mailOf } from "./mails.ts";
import { opsgenieCall, pagerdutyEvent } from "./pagers.ts";
import { unknownNames, wordsOf } from "./words.ts";

const noticeOf = (text: string, happening: Notice["happening"] = "began", count = 1): Notice => ({
  ...{ id: "ntf_1", happening, state: happening === "ended" ? "resolved" : "firing", at: "2026-01-05T09:00:00.000Z" },
  organization: "tn_1",
  rule: {
    ...{ id: "errors", name: text, severity: "critical", query: "level:error", description: text, owners: [text] },
    ...{ labels: { team: text }, runbook: "https://example.com/run" },
  },
  incidents: Array.from({ length: count }, (_, i) => ({
    ...{ id: `in${i}`, transition: `tr${i}`, group: { service: text }, state: "firing" as const },
    ...{ since: "2026-01-05T08:59:00.000Z", until: "", found: `12 events, more than 10 ${text}`, value: 12 },
    ...{ threshold: 10, complete: 0.97, lines: [text], search: "https://a.example/explore?q=1" },
    page: "https://a.example/alerts/incidents/in0",
  })),
  more: 0,
});
const own = { title: "", text: "" };

test("words say what happened, since when, how much, and how complete that is", () => {
  const { title, text } = wordsOf(noticeOf("shop"), own);
  expect(title).toBe("[critical] shop: firing for service=shop");
  expect(text).toContain("12 events, more than 10 shop since 2026-01-05 08:59:00 UTC (judged on 97 % of the events)");
});

test("a template names what is known, is filled once, and says what it does not know", () => {
  const template = { title: "{{labels.team}} {{ group.service }}", text: "{{found}}" };
  const { title } = wordsOf(noticeOf("{{severity}}"), template);
  expect(title).toBe("{{severity}} {{severity}}");
  expect(unknownNames("{{rule}} {{labels.a}} {{constructor}} {{x}}")).toEqual(["constructor", "x"]);
});

test("no chat reads as markup what a log line says", () => {
  const hostile = "<!channel> <https://evil.example|click> @everyone [x](https://evil.example) **b**";
  const notice = noticeOf(hostile);
  const words = wordsOf(notice, own);
  // A header is plain text there and reads nothing as markup.
  const slack = JSON.stringify(slackMessage(notice, words), (name, value) =>
    name === "type" || value?.type !== "plain_text" ? value : null,
  );
  expect(slack).not.toMatch(/[<>]/);
  const discord = JSON.stringify(discordMessage(notice, words));
  expect(discord).toContain('"parse":[]');
  expect(discord).not.toContain("](https://evil");
  expect(JSON.stringify(teamsMessage(notice, words))).not.toContain('"TextBlock"');
  expect(mailOf(notice, words, ["a@example.com"]).mail.html).not.toContain("<!channel>");
});

test("limits are kept, whatever comes", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 0, maxLength: 6_000 }), fc.constantFrom(1, mostIncidents), (text, count) => {
      const notice = noticeOf(text, "began", count);
      const words = wordsOf(notice, own);
      const slack = slackMessage(notice, words) as {
        attachments: { blocks: { text?: { text: string; type: string }; fields?: { text: string }[] }[] }[];
      };
      for (const { text: block, fields = [] } of slack.attachments[0]?.blocks ?? []) {
        expect(block?.text.length ?? 0).toBeLessThanOrEqual(block?.type === "plain_text" ? 150 : 3_000);
        for (const field of fields) expect(field.text.length).toBeLessThanOrEqual(2_000);
      }
      const discord = discordMessage(notice, words) as {
        embeds: { title: string; description: string; fields: { value: string }[] }[];
      };
      const [embed] = discord.embeds;
      expect(embed?.title.length).toBeLessThanOrEqual(256);
      expect(embed?.description.length).toBeLessThanOrEqual(4_096);
      for (const { value } of embed?.fields ?? []) expect(value.length).toBeLessThanOrEqual(1_024);
      const { payload } = pagerdutyEvent(notice, words, "key") as { payload: { summary: string } };
      expect(payload.summary.length).toBeLessThanOrEqual(1_024);
      const { message } = opsgenieCall(notice, words).body as { message: string };
      expect(message.length).toBeLessThanOrEqual(130);
    }),
    { numRuns: 60 },
  );
});

test("an end closes at the pagers what its beginning opened", () => {
  const [began, ended] = [noticeOf("a"), noticeOf("a", "ended")];
  const words = wordsOf(began, own);
  expect(pagerdutyEvent(began, words, "k")).toMatchObject({ event_action: "trigger", dedup_key: "astralog/in0" });
  expect(pagerdutyEvent(ended, words, "k")).toMatchObject({ event_action: "resolve", dedup_key: "astralog/in0" });
  expect(opsgenieCall(began, words)).toMatchObject({
    path: "/v2/alerts",
    body: { alias: "astralog/in0", priority: "P1" },
  });
  expect(opsgenieCall(ended, words).path).toBe("/v2/alerts/astralog%2Fin0/close?identifierType=alias");
});
