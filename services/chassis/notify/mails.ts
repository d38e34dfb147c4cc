/** A notice as a mail: the facts first, one link to act on, and headers by which mail programs keep an incident together. */
import type { Notice } from "@astralog/schemas/alerts/index";
import { writeLetter } from "../letter.ts";
import type { Mail } from "../mail-transport.ts";
import { cut, factsOf, linksOf, type Words } from "./words.ts";

export const mailOf = (
  notice: Notice,
  { title, text }: Words,
  to: readonly string[],
): { mail: Mail; headers: Record<string, string> } => {
  const [first, ...others] = linksOf(notice);
  const facts = factsOf(notice).map(({ name, value }) => `${name}: ${cut(value, 2_000)}`);
  const thread = `<${notice.incidents[0]?.id ?? notice.id}@astralog>`;
  return {
    mail: writeLetter({
      to: to.join(", "),
      subject: title,
      paragraphs: [...text.split("\n").filter((line) => line.trim() !== ""), ...facts],
      ...(first === undefined ? {} : { action: { label: first.name, url: first.url } }),
      foot: [
        ...others.map(({ name, url }) => `${name}: ${url}`),
        `Notification ${notice.id} of the rule ${notice.rule.id}.`,
      ].join("\n"),
    }),
    headers: {
      // The same with every try: a server that took it and was not heard may leave out the repeat.
      "Message-ID": `<${notice.id}@astralog>`,
      ...(notice.happening === "began" ? {} : { "In-Reply-To": thread, References: thread }),
      "Auto-Submitted": "auto-generated",
    },
  };
};
