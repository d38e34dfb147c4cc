/** A page in parts, each with an address; and the frame of a list within one. */
import "../style/parts.css";
import type { ReactNode } from "react";
import { useAddress } from "../shell/address.ts";
import { classes } from "./controls.tsx";
import { Failed, Waiting } from "./states.tsx";

interface PartsProps<Name extends string> {
  readonly label: string;
  readonly at: Name;
  readonly parts: readonly (readonly [Name, string])[];
}

export const Parts = <Name extends string>({ label, at, parts }: PartsProps<Name>) => {
  const address = useAddress();
  return (
    <nav className="parts" aria-label={label}>
      {parts.map(([name, title], i) => (
        <button
          key={name}
          type="button"
          aria-current={name === at ? "page" : undefined}
          onClick={() => address.set({ part: i === 0 ? "" : name })}
        >
          {title}
        </button>
      ))}
    </nav>
  );
};

/** The part that the address names, or the first. */
export const usePart = <Name extends string>(parts: readonly (readonly [Name, string])[]): Name | undefined => {
  const asked = useAddress().get("part");
  return (parts.find(([name]) => name === asked) ?? parts[0])?.[0];
};

interface Asked<T> {
  readonly data: T | undefined;
  readonly error: unknown;
  refetch(): unknown;
}

/** What is there stays, also when it could not be read again. */
export const Read = <T,>({
  from,
  what,
  children,
}: {
  from: Asked<T>;
  what: string;
  children: (data: T) => ReactNode;
}) =>
  from.data !== undefined ? (
    children(from.data)
  ) : from.error === null ? (
    <Waiting what={`Loading ${what}`} />
  ) : (
    <Failed
      what={`${what.charAt(0).toUpperCase()}${what.slice(1)} cannot be shown`}
      error={from.error}
      onRetry={() => void from.refetch()}
    />
  );

interface SectionProps {
  readonly title: string;
  readonly about?: ReactNode;
  readonly act?: ReactNode;
  readonly children: ReactNode;
}

export const Section = ({ title, about, act, children }: SectionProps) => (
  <section className="stack-small" aria-label={title}>
    <header className="page-head">
      <h2>{title}</h2>
      {act}
    </header>
    {about === undefined ? null : <p className="soft about">{about}</p>}
    {children}
  </section>
);

/** A table in a box that scrolls by itself. A heading beginning with "-" is not on a phone, then with "#" over numbers; "" is of acts. */
export const List = ({ heads, children }: { heads: readonly string[]; children: ReactNode }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls where the page is narrower, and the keyboard must reach that.
  <div className="list-box" tabIndex={0}>
    <table className="list">
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} className={classes(head.startsWith("-") && "wide-only", /^-?#/.test(head) && "number")}>
              {head === "" ? <span className="hidden">Acts</span> : head.replace(/^-?#?/, "")}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </div>
);
