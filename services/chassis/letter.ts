/** A mail's two forms from one text: plain, and HTML in which nothing of what it says is markup. */
import type { Mail } from "./mail-transport.ts";

export interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly paragraphs: readonly string[];
  /** What to do about it; the address stands in the text as well. */
  readonly action?: { readonly label: string; readonly url: string };
  /** Below it. */
  readonly foot?: string;
}

const asText = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[sign] ?? sign,
  );
/** A header is one line, and what people name things may try to be more. */
const oneLine = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, " ").slice(0, 200);

export const writeLetter = ({ to, subject, paragraphs, action, foot }: Letter): Mail => {
  const html = paragraphs.map((text) => `<p>${asText(text)}</p>`);
  if (action !== undefined) {
    const url = asText(action.url);
    html.push(
      `<p><a href="${url}" style="display:inline-block;padding:10px 16px;border-radius:7px;background:#4a4fd0;color:#ffffff;text-decoration:none">${asText(action.label)}</a></p>`,
      `<p style="font-size:13px">Or open this address:<br>${url}</p>`,
    );
  }
  if (foot !== undefined) html.push(`<p style="font-size:13px;color:#666666">${asText(foot)}</p>`);
  return {
    to,
    subject: oneLine(subject),
    text: [
      ...paragraphs,
      ...(action === undefined ? [] : [`${action.label}:\n${action.url}`]),
      ...(foot === undefined ? [] : [foot]),
    ].join("\n\n"),
    html: `<!doctype html><html lang="en"><body style="font-family:system-ui,sans-serif;font-size:15px;line-height:1.5">${html.join("")}</body></html>`,
  };
};
