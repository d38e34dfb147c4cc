/** The frame of every page of a signed-in person: a thin header, a side bar that folds, the keys that work everywhere. */
import {
  CircleHelp,
  Command as CommandIcon,
  LogOut,
  Menu as MenuIcon,
  Monitor,
  Moon,
  PanelLeft,
  Sun,
} from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link, useLocation } from "wouter";
import { forgetKey } from "../api/key.ts";
import { classes, IconButton, Tip } from "../ui/controls.tsx";
import { Menu, MenuItem, MenuLabel, MenuLine } from "../ui/overlays.tsx";
import { showKeys, useCommands } from "./commands.tsx";
import { Help } from "./help.tsx";
import { pages } from "./pages.ts";
import { Palette } from "./palette.tsx";
import { useStored } from "./stored.ts";
import { setTheme, type Theme, useTheme } from "./theme.ts";

const themes: readonly (readonly [Theme, string, typeof Sun])[] = [
  ["system", "As the system", Monitor],
  ["dark", "Dark", Moon],
  ["light", "Light", Sun],
];

export const Shell = ({ children }: { children: ReactNode }) => {
  const [location, go] = useLocation();
  const [folded, setFolded] = useStored("folded", false);
  const [drawn, setDrawn] = useState(false);
  const [palette, setPalette] = useState(false);
  const [help, setHelp] = useState(false);
  const open = pages;
  const page = pages.find(({ path }) => location.startsWith(path));
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
    { id: "sign-out", title: "Forget the key", section: "Everywhere", also: "log out leave", run: () => forgetKey() },
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
            <button type="button" className="icon-button" aria-label="Theme and key">
              <Sun size={16} />
            </button>
          }
        >
          <MenuLabel>Theme</MenuLabel>
          {themes.map(([name, title]) => (
            <MenuItem key={name} checked={theme === name} onSelect={() => setTheme(name)}>
              {title}
            </MenuItem>
          ))}
          <MenuLine />
          <MenuItem icon={<LogOut size={15} />} onSelect={() => forgetKey()}>
            Forget the key
          </MenuItem>
        </Menu>
      </header>
      {drawn ? (
        <button type="button" className="side-cover" aria-label="Close the menu" onClick={() => setDrawn(false)} />
      ) : null}
      <nav className="side" aria-label="Pages">
        <div className="organization">
          <Mark />
          {folded && !drawn ? null : <span className="grow cut">Astralog</span>}
        </div>
        <SidePages folded={folded && !drawn} at={location} onGo={() => setDrawn(false)} />
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

const SidePages = ({ folded, at, onGo }: { folded: boolean; at: string; onGo: () => void }) => {
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
