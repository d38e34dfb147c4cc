/** The frame of every page of a signed-in person: a thin header, a side bar that folds, the keys that work everywhere. */
import { useQueryClient } from "@tanstack/react-query";
import {
  ChevronsUpDown,
  CircleHelp,
  CircleUser,
  Command as CommandIcon,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  Moon,
  PanelLeft,
  Sun,
  UserCog,
} from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { currentOrganization, type Me, signOut } from "../account/session.ts";
import { forgetKey } from "../api/key.ts";
import { setOrganization } from "../api/organization.ts";
import { classes, IconButton, Tip } from "../ui/controls.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/overlays.tsx";
import { showKeys, useCommands } from "./commands.tsx";
import { Help } from "./help.tsx";
import { type PageEntry, pages, pagesFor } from "./pages.ts";
import { Palette } from "./palette.tsx";
import { useStored } from "./stored.ts";
import { setTheme, type Theme, useTheme } from "./theme.ts";

const themes: readonly (readonly [Theme, string, typeof Sun])[] = [
  ["system", "As the system", Monitor],
  ["dark", "Dark", Moon],
  ["light", "Light", Sun],
];

export const Shell = ({ me, children }: { me: Me | undefined; children: ReactNode }) => {
  const [location, go] = useLocation();
  const [folded, setFolded] = useStored("folded", false);
  const [drawn, setDrawn] = useState(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const open = pagesFor(currentOrganization(me)?.permissions);
  const page = location.startsWith("/account")
    ? { title: "Your account" }
    : pages.find(({ path }) => location.startsWith(path));
  const leave = () => (me === undefined ? forgetKey() : void signOut());
  const leaving = me === undefined ? "Forget the key" : "Sign out";
  const theme = useTheme();

  useCommands([
    {
      id: "palette",
      title: "Find a command",
      section: "Everywhere",
      keys: "mod+k",
      quiet: true,
      run: () => setPalette((on) => !on),
    },
    { id: "help", title: "Keys and the query language", section: "Everywhere", keys: "?", run: () => setHelp(true) },
    {
      id: "fold",
      title: folded ? "Unfold the side bar" : "Fold the side bar",
      section: "Everywhere",
      keys: "mod+b",
      run: () => setFolded(!folded),
    },
    ...open.map(({ path, title, keys, also = "" }) => ({
      id: path,
      title,
      section: "Go to",
      keys,
      also,
      run: () => go(path),
    })),
    ...themes.map(([name, title]) => ({
      id: `theme-${name}`,
      title: `Theme: ${title.toLowerCase()}`,
      section: "Everywhere",
      also: "colour mode appearance",
      run: () => setTheme(name),
    })),
    ...(me === undefined
      ? []
      : [
          {
            id: "account",
            title: "Your account",
            section: "Go to",
            keys: "g a",
            also: "profile passkey second factor sessions theme",
            run: () => go("/account"),
          },
        ]),
    { id: "sign-out", title: leaving, section: "Everywhere", also: "log out leave", run: leave },
  ]);

  return (
    <div className={classes("shell", folded && "is-folded", drawn && "is-drawn")}>
      <a href="#main" className="skip">
        To the page's content
      </a>
      <header className="top">
        <IconButton label="Menu" className="top-menu" aria-expanded={drawn} onClick={() => setDrawn(!drawn)}>
          <MenuIcon size={18} />
        </IconButton>
        <h1 className="top-title">{page?.title ?? "Astralog"}</h1>
        <div className="grow" id="top-middle" />
        <button type="button" className="top-find" onClick={() => setPalette(true)}>
          <CommandIcon size={13} aria-hidden />
          <span className="top-find-text">Go or do</span>
          <kbd className="key">{showKeys("mod+k")}</kbd>
        </button>
        <IconButton label="Help" keys="?" onClick={() => setHelp(true)}>
          <CircleHelp size={17} />
        </IconButton>
        <Menu
          trigger={
            <button type="button" className="icon-button" aria-label={me === undefined ? "Theme and key" : "You"}>
              {me === undefined ? <Sun size={16} /> : <CircleUser size={17} />}
            </button>
          }
        >
          {me === undefined ? null : (
            <>
              <MenuLabel>{me.name === "" ? me.email : me.name}</MenuLabel>
              <MenuItem icon={<UserCog size={15} />} onSelect={() => go("/account")}>
                Your account
              </MenuItem>
              <MenuLine />
            </>
          )}
          <MenuLabel>Theme</MenuLabel>
          {themes.map(([name, title]) => (
            <MenuItem key={name} checked={theme === name} onSelect={() => setTheme(name)}>
              {title}
            </MenuItem>
          ))}
          <MenuLine />
          <MenuItem icon={<LogOut size={15} />} onSelect={leave}>
            {leaving}
          </MenuItem>
        </Menu>
      </header>
      {drawn ? (
        <button type="button" className="side-cover" aria-label="Close the menu" onClick={() => setDrawn(false)} />
      ) : null}
      <nav className="side" aria-label="Pages">
        <OrganizationName me={me} folded={folded && !drawn} />
        <SidePages pages={open} folded={folded && !drawn} at={location} onGo={() => setDrawn(false)} />
        <div className="side-end">
          <IconButton label={folded ? "Unfold" : "Fold"} keys={showKeys("mod+b")} onClick={() => setFolded(!folded)}>
            <PanelLeft size={16} />
          </IconButton>
        </div>
      </nav>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
      <Palette open={palette} onClose={() => setPalette(false)} />
      <Help open={help} onClose={() => setHelp(false)} />
    </div>
  );
};

/** Where one acts; with several organizations, the way to another. */
const OrganizationName = ({ me, folded }: { me: Me | undefined; folded: boolean }) => {
  const client = useQueryClient();
  const current = currentOrganization(me);
  const name = folded ? null : <span className="grow cut">{current?.name ?? "Astralog"}</span>;
  if (me === undefined || me.organizations.length < 2) {
    return (
      <div className="organization">
        <Mark />
        {name}
      </div>
    );
  }
  return (
    <Menu
      align="start"
      trigger={
        <button
          type="button"
          className="organization"
          aria-label={`Organization: ${current?.name ?? ""}. Choose another`}
        >
          <Mark />
          {name}
          {folded ? null : <ChevronsUpDown size={14} aria-hidden />}
        </button>
      }
    >
      <MenuLabel>Organization</MenuLabel>
      {me.organizations.map(({ id, name: title, role }) => (
        <MenuItem
          key={id}
          checked={id === current?.id}
          onSelect={() => {
            setOrganization(id);
            // Nothing of the one before may stay on the page.
            void client.resetQueries();
          }}
        >
          {title} <span className="faint">{role}</span>
        </MenuItem>
      ))}
    </Menu>
  );
};

interface SidePagesProps {
  readonly pages: readonly PageEntry[];
  readonly folded: boolean;
  readonly at: string;
  readonly onGo: () => void;
}

const SidePages = ({ pages, folded, at, onGo }: SidePagesProps) => {
  const sections = Map.groupBy(pages, ({ section }) => section);
  return [...sections].map(([section, list]) => (
    <div key={section} className="side-section">
      {folded ? <div className="menu-line" /> : <h2 className="menu-label">{section}</h2>}
      <ul>
        {list.map(({ path, title, icon: Icon, keys }) => {
          const link = (
            <Link
              href={path}
              className="side-link"
              onClick={onGo}
              aria-current={at.startsWith(path) ? "page" : undefined}
            >
              <Icon size={16} aria-hidden />
              <span className={classes("side-text", folded && "hidden")}>{title}</span>
            </Link>
          );
          return (
            <li key={path}>
              {folded ? (
                <Tip text={title} keys={showKeys(keys)}>
                  {link}
                </Tip>
              ) : (
                link
              )}
            </li>
          );
        })}
      </ul>
    </div>
  ));
};

export const Mark = ({ size = 20 }: { size?: number }) => (
  <svg className="mark-sign" width={size} height={size} viewBox="0 0 16 16" aria-hidden>
    <path d="M8 0l1.7 6.3L16 8l-6.3 1.7L8 16 6.3 9.7 0 8l6.3-1.7z" />
  </svg>
);
