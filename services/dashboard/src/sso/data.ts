/** What the api tells of an organization's single sign-on. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { get } from "../api/client.ts";

export interface Connection {
  readonly id: string;
  readonly kind: "oidc" | "saml";
  readonly name: string;
  readonly enabled: boolean;
  readonly issuer: string;
  readonly role: string;
  readonly admits: boolean;
  /** What the provider has to be told. */
  readonly ours: Readonly<Record<string, string>>;
}

export interface Domain {
  readonly id: string;
  readonly domain: string;
  readonly verified_at: string | null;
  readonly record: { readonly name: string; readonly value: string };
}

export interface ScimToken {
  readonly id: string;
  readonly name: string;
  readonly last4: string;
  readonly expires_at: string | null;
  readonly revoked_at: string | null;
  readonly used_at: string | null;
}

const key = ["sso"] as const;
const useSso = <T>(path: string) =>
  useQuery({ queryKey: [...key, path], queryFn: ({ signal }) => get<T>(`/sso/${path}`, signal) });

export const useConnections = () => useSso<{ connections: readonly Connection[] }>("connections");
export const useDomains = () => useSso<{ domains: readonly Domain[] }>("domains");
export const useTokens = () => useSso<{ tokens: readonly ScimToken[] }>("scim-tokens");
export const usePolicy = () => useSso<{ sso_only: boolean }>("policy");

/** After any change: they depend on each other. */
export const useChanged = (): (() => Promise<void>) => {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: key });
};
