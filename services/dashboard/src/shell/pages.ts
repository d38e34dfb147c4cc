/** The pages a person can go to, in the order of the side bar. */
import {
  Activity,
  Bell,
  BookMarked,
  ChartNoAxesCombined,
  Database,
  DoorOpen,
  Fingerprint,
  Gauge,
  KeyRound,
  type LucideIcon,
  Rocket,
  ScrollText,
  Search,
  Shapes,
  Users,
} from "lucide-react";

export interface PageEntry {
  readonly path: string;
  readonly title: string;
  readonly section: string;
  readonly icon: LucideIcon;
  readonly keys: string;
  readonly also?: string;
  /** The permission that it is of use with. */
  readonly needs: string;
}

export const pages: readonly PageEntry[] = [
  {
    path: "/explore",
    title: "Explore",
    section: "Events",
    icon: Search,
    keys: "g e",
    needs: "events.read",
    also: "search events logs",
  },
  {
    path: "/tail",
    title: "Live tail",
    section: "Events",
    icon: Activity,
    keys: "g l",
    needs: "events.read",
    also: "follow stream watch",
  },
  {
    path: "/patterns",
    title: "Patterns",
    section: "Events",
    icon: Shapes,
    keys: "g p",
    needs: "events.read",
    also: "templates clusters",
  },
  {
    path: "/dashboards",
    title: "Dashboards",
    section: "Events",
    icon: ChartNoAxesCombined,
    keys: "g d",
    needs: "events.read",
    also: "charts panels graphs",
  },
  {
    path: "/alerts",
    title: "Alerts",
    section: "Events",
    icon: Bell,
    keys: "g i",
    needs: "alerts.read",
    also: "incidents rules silences destinations on call webhook slack pagerduty",
  },
  {
    path: "/views",
    title: "Saved views",
    section: "Events",
    icon: BookMarked,
    keys: "g v",
    needs: "events.read",
    also: "queries bookmarks",
  },
  {
    path: "/sources",
    title: "Sources and keys",
    section: "Organization",
    icon: KeyRound,
    keys: "g s",
    needs: "sources.read",
    also: "ingest api tokens receipt trace",
  },
  {
    path: "/usage",
    title: "Usage",
    section: "Organization",
    icon: Gauge,
    keys: "g u",
    needs: "usage.read",
    also: "volume bytes plan",
  },
  {
    path: "/data",
    title: "Data",
    section: "Organization",
    icon: Database,
    keys: "g r",
    needs: "retention.read",
    also: "retention expire keep days legal hold delete deletion certificate erase gdpr",
  },
  {
    path: "/start",
    title: "Get started",
    section: "Organization",
    icon: Rocket,
    keys: "g w",
    needs: "sources.write",
    also: "onboarding setup curl otel agents send",
  },
  {
    path: "/team",
    title: "Team",
    section: "Organization",
    icon: Users,
    keys: "g m",
    needs: "members.read",
    also: "members invitations roles teams organization settings rename second factor",
  },
  {
    path: "/access",
    title: "Access",
    section: "Organization",
    icon: DoorOpen,
    keys: "g c",
    needs: "access.read",
    also: "production staff support approve review unused",
  },
  {
    path: "/audit",
    title: "Audit",
    section: "Organization",
    icon: ScrollText,
    keys: "g t",
    needs: "audit.read",
    also: "trail who did what export streams webhook siem proof",
  },
  {
    path: "/settings/single-sign-on",
    title: "Single sign-on",
    section: "Organization",
    icon: Fingerprint,
    keys: "g o",
    needs: "sso.read",
    also: "sso saml oidc scim domains directory settings",
  },
];

/** A key's permissions are not known here: it is shown all, and the server says no. */
export const pagesFor = (permissions: readonly string[] | undefined): readonly PageEntry[] =>
  permissions === undefined ? pages : pages.filter(({ needs }) => permissions.includes(needs));
