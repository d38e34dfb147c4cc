/** Who this browser is signed in as. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { get, Problem, post } from "../api/client.ts";
import { readKey } from "../api/key.ts";
import { readOrganization, setOrganization } from "../api/organization.ts";

export interface SessionState {
  readonly state: "none" | "second-factor" | "open";
  readonly factors: readonly string[];
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly synced: boolean;
  readonly created_at: string;
  readonly used_at: string | null;
}

interface Organization {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly require_mfa: boolean;
}

export interface Me {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly session: string;
  readonly factors: {
    readonly totp: string | null;
    readonly passkeys: readonly Passkey[];
    readonly recovery_codes: number;
  };
  readonly organizations: readonly Organization[];
}

export interface SignedIn {
  readonly second_factor_needed: boolean;
}

export interface Methods {
  readonly public_url: string;
  readonly providers: readonly { readonly id: string; readonly name: string; readonly url: string }[];
}

export const sessionKey = ["session"] as const;
export const meKey = ["me"] as const;

/** Not asked with a query key: it speaks for itself. */
export const useSession = () =>
  useQuery({
    queryKey: sessionKey,
    queryFn: ({ signal }) => get<SessionState>("/auth/session", signal),
    enabled: readKey() === null,
    staleTime: 60_000,
    retry: 1,
  });

export const useMe = () =>
  useQuery({
    queryKey: meKey,
    queryFn: async ({ signal }) => {
      const me = await get<Me>("/me", signal);
      const known = me.organizations.some(({ id }) => id === readOrganization());
      // One that was left, or was another person's in this browser.
      if (!known) setOrganization(me.organizations[0]?.id ?? null);
      return me;
    },
    enabled: readKey() === null,
    staleTime: 60_000,
  });

/** The ways in that are set up here. */
export const useMethods = () =>
  useQuery({ queryKey: ["methods"], queryFn: ({ signal }) => get<Methods>("/auth/methods", signal) });

export const currentOrganization = (me: Me | undefined): Organization | undefined =>
  me?.organizations.find(({ id }) => id === readOrganization()) ?? me?.organizations[0];

export const hasFactor = ({ factors }: Me): boolean => factors.totp !== null || factors.passkeys.length > 0;

/** After anything that changes who this browser is: what was asked before may be another's. */
export const useArrive = (): (() => Promise<void>) => {
  const client = useQueryClient();
  return async () => {
    client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "session" });
    await client.invalidateQueries({ queryKey: sessionKey });
  };
};

export const signOut = async (): Promise<void> => {
  let next = "/";
  try {
    const { redirect } = await post<{ redirect: string | null }>("/auth/sign-out");
    // On to the identity provider, which has a session of its own.
    next = redirect ?? next;
  } finally {
    location.assign(next);
  }
};

/** What to say of a failure in one line. */
export const said = (error: unknown): string =>
  error instanceof Problem
    ? error.message
    : error instanceof Error && error.name === "NotAllowedError"
      ? "The passkey was not shown. Try again, or use another way."
      : "Something failed in this page itself. Reload it to go on.";
