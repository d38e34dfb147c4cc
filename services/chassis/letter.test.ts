import { expect, test } from "@jest/globals";
import { writeLetter } from "./letter.ts";

test("what people call things is text in a mail, and one line in its subject", () => {
  const mail = writeLetter({
    to: "a@example.com",
    subject: 'Join "x"\r\nBcc: eve@example.com\u2028!',
    paragraphs: ["<img src=x onerror=alert(1)> & co"],
    action: { label: "Open <it>", url: 'https://example.com/?a=1&b="#token' },
    foot: "</html>",
  });
  expect(mail.subject).toBe('Join "x" Bcc: eve@example.com !');
  expect(mail.text).toContain("<img src=x onerror=alert(1)> & co");
  expect(mail.text).toContain('https://example.com/?a=1&b="#token');
  expect(mail.html).not.toMatch(/<img|<it>|<\/html>.*<\/html>/);
  expect(mail.html).toContain('href="https://example.com/?a=1&amp;b=&quot;#token"');
});
