/**
 * Notices as chats take them. What a rule, a group or a label is named is text there and never markup: nobody can be
 * pinged, and no link be planted, by what a log line says.
 */
import type { Notice } from "@astralog/schemas/alerts/index";
import { cut, factsOf, linksOf, type Words } from "./words.ts";

const isOver = ({ happening }: Notice): boolean => happening === "ended" || happening === "test";

/** Text with its markup made harmless, sign by sign, so that none is cut in two and the limit is one of what is sent. */
const escaped = (text: string, most: number, sign: (char: string) => string): string => {
  let out = "";
  for (const char of text.toWellFormed()) {
    const next = sign(char);
    if (out.length + next.length > most - 1) return `${out}…`;
    out += next;
  }
  return out;
};

/** Slack reads three characters; what else looks like markup stays as it is and harms nobody. */
const slackText = (text: string, most: number): string =>
  escaped(text, most, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[char] ?? char);

const slackColours = { critical: "#d92d20", error: "#d92d20", warning: "#b54708", info: "#475467" } as const;

/** Limits of Slack's blocks: a header 150 characters, a section 3000, ten fields of 2000 each. */
export const slackMessage = (notice: Notice, { title, text }: Words): unknown => ({
  text: slackText(title, 300),
  attachments: [
    {
      color: isOver(notice) ? "#067647" : slackColours[notice.rule.severity],
      blocks: [
        { type: "header", text: { type: "plain_text", text: cut(title, 150), emoji: false } },
        ...(text === ""
          ? []
          : [{ type: "section", text: { type: "mrkdwn", text: slackText(text, 2_500), verbatim: true } }]),
        {
          type: "section",
          fields: factsOf(notice).map(({ name, value }) => ({
            type: "mrkdwn",
            text: `*${name}*\n${slackText(value, 1_500)}`,
            verbatim: true,
          })),
        },
        {
          type: "actions",
          elements: linksOf(notice).map(({ name, url }) => ({
            type: "button",
            text: { type: "plain_text", text: name },
            url: cut(url, 3_000),
          })),
        },
      ].filter((block) => !("elements" in block) || (block.elements ?? []).length > 0),
    },
  ],
});

/** What Teams takes of a whole message, less some room for its own envelope. */
const teamsBytes = 26_000;
/** Links to a search may be as long as its query. */
const longestLink = 2_000;

/** An adaptive card in the envelope that Teams' workflows take, as much of it as fits. */
export const teamsMessage = (notice: Notice, words: Words): unknown => {
  for (let most = 8_000; ; most /= 2) {
    const message = teamsCard(notice, words, most);
    if (most < 250 || Buffer.byteLength(JSON.stringify(message)) <= teamsBytes) return message;
  }
};

/** Rich text knows no Markdown, so what is named is inert. `most`: characters of the text; facts have a part of it. */
const teamsCard = (notice: Notice, { title, text }: Words, most: number): unknown => {
  const run = (of: string, more: Record<string, unknown> = {}) => ({
    type: "RichTextBlock",
    inlines: [{ type: "TextRun", text: of, ...more }],
  });
  const colour = isOver(notice)
    ? "Good"
    : { critical: "Attention", error: "Attention", warning: "Warning", info: "Default" }[notice.rule.severity];
  return {
    type: "message",
    summary: cut(title, 200),
    attachments: [
      {
        contentType: "application/vnd.microsoft.card.adaptive",
        content: {
          $schema: "http://adaptivecards.io/schemas/adaptive-card.json",
          type: "AdaptiveCard",
          version: "1.4",
          msteams: { width: "Full" },
          body: [
            run(cut(title, 300), { weight: "Bolder", size: "Medium", color: colour }),
            ...cut(text, most)
              .split("\n")
              .slice(0, 40)
              .filter((line) => line.trim() !== "")
              .map((line) => run(cut(line, 1_000))),
            ...factsOf(notice).map(({ name, value }) => ({
              type: "RichTextBlock",
              spacing: "Small",
              inlines: [
                { type: "TextRun", text: `${name}  `, isSubtle: true },
                {
                  type: "TextRun",
                  text: cut(value, Math.min(1_000, most / 4)),
                  fontType: name === "Query" ? "Monospace" : "Default",
                },
              ],
            })),
          ],
          actions: linksOf(notice)
            .filter(({ url }) => url.length <= longestLink)
            .map(({ name, url }) => ({ type: "Action.OpenUrl", title: name, url })),
        },
      },
    ],
  };
};

const discordText = (text: string, most: number): string =>
  escaped(text, most, (char) => (/[\\*_~`|>[\]()#<@-]/.test(char) ? `\\${char}` : char));

const discordColours = { critical: 0xd92d20, error: 0xd92d20, warning: 0xb54708, info: 0x475467 } as const;

/** Limits of Discord's embeds: a title 256 characters, a description 4096, a field 1024, and 6000 in all. */
export const discordMessage = (notice: Notice, { title, text }: Words): unknown => ({
  username: "Astralog",
  // Nobody is pinged, whatever stands in the text.
  allowed_mentions: { parse: [] },
  embeds: [
    {
      title: discordText(title, 250),
      description: [
        discordText(text, 2_300),
        linksOf(notice)
          .filter(({ url }) => url.length < 400)
          .map(({ name, url }) => `[${name}](${url})`)
          .join(" · "),
      ]
        .filter((part) => part !== "")
        .join("\n\n"),
      color: isOver(notice) ? 0x067647 : discordColours[notice.rule.severity],
      timestamp: notice.at,
      fields: factsOf(notice).map(({ name, value }) => ({
        name,
        value: discordText(value, 380),
        inline: name !== "Query",
      })),
    },
  ],
});
