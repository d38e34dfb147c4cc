/** What a part of a page shows when it has nothing, is not there yet, or failed. */
import { RotateCw } from "lucide-react";
import { Component, type ReactNode, useEffect, useState } from "react";
import { asProblem } from "../api/client.ts";
import { Button } from "./controls.tsx";

export const Failed = ({ error, onRetry, what }: { error: unknown; onRetry?: () => void; what: string }) => {
  const problem = asProblem(error);
  return (
    <div className="state" role="alert">
      <h2>{what}</h2>
      <p className="soft">{problem.message}</p>
      {problem.requestId === undefined ? null : <p className="faint small mono">Request {problem.requestId}</p>}
      {onRetry === undefined ? null : (
        <Button onClick={onRetry} icon={<RotateCw size={14} />}>
          Try again
        </Button>
      )}
    </div>
  );
};

/** Why what was asked for was not done, below its form. */
export const Wrong = ({ error }: { error: unknown }) => (
  <div role="alert">{error == null ? null : <p className="field-note is-wrong">{asProblem(error).message}</p>}</div>
);

export const Empty = ({ title, children }: { title: string; children?: ReactNode }) => (
  <div className="state">
    <h2>{title}</h2>
    {children}
  </div>
);

/** Nothing for the first moment, then a line that counts: nothing spins without a number. */
export const Waiting = ({ what = "Loading" }: { what?: string }) => {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const begun = performance.now();
    const timer = setInterval(() => setSeconds((performance.now() - begun) / 1000), 100);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="waiting" role="status">
      {seconds < 0.4 ? null : (
        <span className="faint figures">
          {what}, {seconds.toFixed(1)} s
        </span>
      )}
    </div>
  );
};

/** Keeps a page's own mistake inside that page: the frame around it still works. */
export class Boundary extends Component<{ children: ReactNode; at: string }, { error: unknown; at: string }> {
  override state = { error: undefined as unknown, at: this.props.at };

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  static getDerivedStateFromProps(props: { at: string }, state: { error: unknown; at: string }) {
    return props.at === state.at ? null : { error: undefined, at: props.at };
  }

  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="state" role="alert">
        <h2>This page failed to draw itself</h2>
        <p className="soft">
          {this.state.error instanceof Error ? this.state.error.message.slice(0, 200) : "For a reason it did not tell."}{" "}
          The rest still works; your events are not touched.
        </p>
        <Button onClick={() => location.reload()}>Reload</Button>
      </div>
    );
  }
}
