/** Where providers send browsers back to, and what we are called there. Each connection has its own, so none is mixed up. */
import type { SamlParty } from "./saml-response.ts";

const base = (publicUrl: URL): string => `${publicUrl.origin}/api/v1`;
export const socialCallback = (publicUrl: URL, id: string): string => `${base(publicUrl)}/auth/with/${id}/callback`;
export const oidcCallback = (publicUrl: URL, id: string): string => `${base(publicUrl)}/auth/oidc/${id}/callback`;
export const samlParty = (publicUrl: URL, id: string): SamlParty => ({
  entityId: `${base(publicUrl)}/auth/saml/${id}/metadata`,
  acs: `${base(publicUrl)}/auth/saml/${id}/acs`,
  slo: `${base(publicUrl)}/auth/saml/${id}/slo`,
});
