/** The pages of the mail sink. What a mail says is text here; only what is a web address becomes a link. */
import { hash } from "node:crypto";
import type { KeptMail } from "./mail-sink.ts";

const style = `:root{color-scheme:light dark}body{margin:0 auto;padding:24px 20px;max-width:760px;font:14px/1.55 system-ui,sans-serif}
h1{font-size:18px;margin:0 0 16px}ul{list-style:none;margin:0;padding:0}li a{display:grid;gap:2px;padding:10px 0;border-bottom:1px solid light-dark(#ddd,#333);color:inherit;text-decoration:none}
li a:hover b{text-decoration:underline}small,dt{color:light-dark(#555,#aaa)}dl{display:grid;grid-template-columns:auto 1fr;gap:2px 12px;margin:0 0 20px}dd{margin:0;overflow-wrap:anywhere}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font:14px/1.6 ui-monospace,monospace}`;

export const pageHeaders = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
};

const asText = (text: string): string =>
  text.replace(
    /[&<>"']/g,
    (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[sign] ?? sign,
  );

const page = (title: string, body: string): string =>
  `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${asText(title)}</title><style>${style}</style></head><body>${body}</body></html>`;

const address = /(https?:\/\/[^\s<>"']+)/;
/** split() with a group gives text and addresses in turn. */
const linked = (text: string): string =>
  text
    .split(address)
    .map((part, i) => (i % 2 === 0 ? asText(part) : `<a href="${asText(part)}">${asText(part)}</a>`))
    .join("");

export const listPage = (mails: readonly KeptMail[]): string =>
  page(
    "Mail",
    `<h1>Mail that Astralog sent here</h1>${
      mails.length === 0
        ? "<p>None yet. Reload this page once something was sent.</p>"
        : `<ul>${mails
            .map(
              ({ id, subject, to, at }) =>
                `<li><a href="/mails/${id}"><b>${asText(subject)}</b><small>to ${asText(to.join(", "))}, ${asText(at)}</small></a></li>`,
            )
            .join("")}</ul>`
    }`,
  );

export const mailPage = ({ subject, from, to, at, text }: KeptMail): string =>
  page(
    subject,
    `<p><a href="/">All mail</a></p><h1>${asText(subject)}</h1><dl><dt>From</dt><dd>${asText(from)}</dd><dt>To</dt><dd>${asText(to.join(", "))}</dd><dt>At</dt><dd>${asText(at)}</dd></dl><pre>${linked(text)}</pre>`,
  );
