/** The pages a person can go to, in the order of the side bar. */
import {
  Activity,
  BookMarked,
  ChartNoAxesCombined,
  Gauge,
  KeyRound,
  type LucideIcon,
  Rocket,
  Search,
  Shapes,
} from "lucide-react";

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
  { path: "/tail", title: "Live tail", section: "Events", icon: Activity, keys: "g l", also: "follow stream watch" },
  { path: "/patterns", title: "Patterns", section: "Events", icon: Shapes, keys: "g p", also: "templates clusters" },
  {
    path: "/dashboards",
    title: "Dashboards",
    section: "Events",
    icon: ChartNoAxesCombined,
    keys: "g d",
    also: "charts panels graphs",
  },
  { path: "/views", title: "Saved views", section: "Events", icon: BookMarked, keys: "g v", also: "queries bookmarks" },
  {
    path: "/sources",
    title: "Sources and keys",
    section: "Organization",
    icon: KeyRound,
    keys: "g s",
    also: "ingest api tokens receipt trace",
  },
  { path: "/usage", title: "Usage", section: "Organization", icon: Gauge, keys: "g u", also: "volume bytes plan" },
  {
    path: "/start",
    title: "Get started",
    section: "Organization",
    icon: Rocket,
    keys: "g w",
    also: "onboarding setup curl otel agents send",
  },
];
