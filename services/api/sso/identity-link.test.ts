import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decideLink, domainOf, type LinkCase } from "./identity-link.ts";
import { returnPath } from "./return-path.ts";

const people = fc.option(fc.constantFrom("usr_ann", "usr_bob"), { nil: undefined });
const cases: fc.Arbitrary<LinkCase> = fc.record({
  asserted: fc.record({
    email: fc.option(fc.constantFrom("ann@corp.example", "bob@other.example"), { nil: undefined }),
    emailVerified: fc.boolean(),
  }),
  domains: fc.option(fc.constantFrom(new Set<string>(), new Set(["corp.example"])), { nil: undefined }),
  known: people,
  holder: people,
  signedIn: people,
  mayJoin: fc.boolean(),
});

test("an unverified or missing address never links, makes or finds anybody", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const { do: done } = decideLink(one);
      if (one.asserted.email === undefined || !one.asserted.emailVerified) expect(["enter", "refuse"]).toContain(done);
      if (done === "enter") expect(one.known).toBeDefined();
    }),
  );
});

test("an account is entered by its own identity alone, and joined only by who is signed in to it", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const decision = decideLink(one);
      if (decision.do === "enter") expect(decision.person).toBe(one.known);
      if (decision.do === "link") expect(decision.person).toBe(one.signedIn);
      // The holder of an address who is not signed in is at most asked; nobody else is let in for him.
      if (one.holder !== undefined && one.known === undefined && one.signedIn !== one.holder)
        expect(["confirm", "refuse"]).toContain(decision.do);
      if (decision.do === "create")
        expect([one.known, one.holder, one.signedIn]).toEqual([undefined, undefined, undefined]);
    }),
  );
});

test("an organization's provider says nothing about addresses of other domains, of people it knows neither", () => {
  fc.assert(
    fc.property(cases, (one) => {
      const { email } = one.asserted;
      if (one.domains === undefined || (email !== undefined && one.domains.has(domainOf(email)))) return;
      expect(decideLink(one)).toEqual({ do: "refuse", reason: "domain_not_verified" });
    }),
  );
});

test("the same address from a second provider is asked for, not merged; a stranger needs to be expected", () => {
  const fresh: LinkCase = {
    asserted: { email: "ann@corp.example", emailVerified: true },
    ...{ domains: undefined, known: undefined, holder: "usr_ann", signedIn: undefined, mayJoin: true },
  };
  expect(decideLink(fresh)).toEqual({ do: "confirm", person: "usr_ann", email: "ann@corp.example" });
  expect(decideLink({ ...fresh, signedIn: "usr_ann" })).toEqual({ do: "link", person: "usr_ann" });
  expect(decideLink({ ...fresh, signedIn: "usr_bob" })).toEqual({ do: "refuse", reason: "email_of_another" });
  expect(decideLink({ ...fresh, holder: undefined })).toEqual({ do: "create", email: "ann@corp.example" });
  expect(decideLink({ ...fresh, holder: undefined, mayJoin: false })).toEqual({ do: "refuse", reason: "not_invited" });
  expect(decideLink({ ...fresh, known: "usr_ann", signedIn: "usr_bob" }).do).toBe("refuse");
});

test("after signing in one stays on this site, whatever was asked for", () => {
  for (const path of ["/", "/explore?q=a%20b", "/settings/sso#domains"]) expect(returnPath(path)).toBe(path);
  for (const wanted of [
    "//evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/%0d%0aSet-Cookie:a=b\r\nx",
    "/\tevil",
    "javascript:alert(1)",
    "explore",
    "/api/v1/me",
    "/x/../api/v1/me",
    "",
    `/${"a".repeat(2_000)}`,
    undefined,
    ["/a"],
  ])
    expect(returnPath(wanted)).toBe("/");
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.webPath(),
        fc.webUrl(),
        fc.string().map((text) => `/${text}`),
      ),
      (wanted) => {
        expect(new URL(returnPath(wanted), "https://log.example").origin).toBe("https://log.example");
      },
    ),
  );
});
