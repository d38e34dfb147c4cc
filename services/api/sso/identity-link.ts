/**
 * Who somebody is whom an identity provider vouches for. The key is (issuer, subject), never the e-mail address: an
 * address finds nobody's account by itself. It may join an account only together with proof of that account, by being
 * signed in now or by a link sent to the address. An account is made only for an address that the provider has verified,
 * so nobody can have made it before its owner did.
 */
export interface LinkCase {
  readonly asserted: {
    /** Lower case; undefined when the provider says none. */
    readonly email: string | undefined;
    readonly emailVerified: boolean;
  };
  /** Domains that the provider may speak for; undefined for one that serves everybody. */
  readonly domains: ReadonlySet<string> | undefined;
  /** The person whose identity this is already. */
  readonly known: string | undefined;
  /** The person who has the asserted address. */
  readonly holder: string | undefined;
  /** The person whose session asked for it. */
  readonly signedIn: string | undefined;
  /** Whether a stranger may become a person: an invitation waits, or the organization lets its people in. */
  readonly mayJoin: boolean;
}

export type LinkDecision =
  | { readonly do: "enter" | "link"; readonly person: string }
  /** Ask the holder of the address to prove it, by a link sent there. */
  | { readonly do: "confirm"; readonly person: string; readonly email: string }
  | { readonly do: "create"; readonly email: string }
  | { readonly do: "refuse"; readonly reason: LinkRefusal };

export type LinkRefusal =
  | "email_unverified"
  | "domain_not_verified"
  | "identity_of_another"
  | "email_of_another"
  | "not_invited";

export const domainOf = (email: string): string => email.slice(email.lastIndexOf("@") + 1);

const refuse = (reason: LinkRefusal): LinkDecision => ({ do: "refuse", reason });

export const decideLink = ({ asserted, domains, known, holder, signedIn, mayJoin }: LinkCase): LinkDecision => {
  const email = asserted.emailVerified ? asserted.email : undefined;
  // An organization's provider speaks for its own domains only, about people it has vouched for before as well.
  if (domains !== undefined && (asserted.email === undefined || !domains.has(domainOf(asserted.email))))
    return refuse("domain_not_verified");
  if (known !== undefined) {
    if (signedIn !== undefined && signedIn !== known) return refuse("identity_of_another");
    return { do: "enter", person: known };
  }
  if (email === undefined) return refuse("email_unverified");
  if (signedIn !== undefined) {
    return holder === undefined || holder === signedIn ? { do: "link", person: signedIn } : refuse("email_of_another");
  }
  if (holder !== undefined) return { do: "confirm", person: holder, email };
  return mayJoin ? { do: "create", email } : refuse("not_invited");
};
