/** The pages a person can go to, in the order of the side bar. */
import { Fingerprint, type LucideIcon, Search } from "lucide-react";

interface PageEntry {
  readonly path: string;
  readonly title: string;
  readonly section: string;
  readonly icon: LucideIcon;
  readonly keys: string;
  readonly also?: string;
}

export const pages: readonly PageEntry[] = [
  { path: "/explore", title: "Explore", section: "Events", icon: Search, keys: "g e", also: "search events logs" },
  {
    ...{ path: "/settings/single-sign-on", title: "Single sign-on", section: "Organization", icon: Fingerprint },
    ...{ keys: "g o", also: "sso saml oidc scim domains directory settings" },
  },
];
