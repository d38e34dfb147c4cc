/** The page around a question that is asked before anything else: one column, nothing to distract. */
import type { ReactNode } from "react";
import { Mark } from "../shell/shell.tsx";

export const Frame = ({ title, about, children }: { title: string; about?: ReactNode; children: ReactNode }) => (
  <main className="door">
    <div className="door-column stack">
      <Mark size={28} />
      <div className="door-head">
        <h1>{title}</h1>
        {about === undefined ? null : <p className="soft">{about}</p>}
      </div>
      {children}
    </div>
  </main>
);

/** What went wrong, said aloud to those who cannot see it. */
export const Wrong = ({ children }: { children: string | undefined }) =>
  children === undefined ? null : (
    <p className="door-wrong" role="alert">
      {children}
    </p>
  );
