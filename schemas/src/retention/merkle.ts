/**
 * The root of a Merkle tree over lines, as RFC 6962 builds it: leaves and nodes are hashed under different first bytes, and
 * a last one without a partner moves up as it is. It takes lines one by one and keeps one hash for each level.
 */
import { hash } from "node:crypto";

const leaf = (line: string): Buffer => hash("sha256", Buffer.concat([Buffer.of(0), Buffer.from(line)]), "buffer");
const node = (left: Buffer, right: Buffer): Buffer =>
  hash("sha256", Buffer.concat([Buffer.of(1), left, right]), "buffer");

export const createMerkle = () => {
  /** Roots of the whole trees so far, the largest first; each with how many leaves it has. */
  const roots: { size: number; root: Buffer }[] = [];
  let leaves = 0;
  return {
    add: (line: string): void => {
      leaves += 1;
      roots.push({ size: 1, root: leaf(line) });
      for (;;) {
        const [left, right] = roots.slice(-2);
        if (left === undefined || right === undefined || left.size !== right.size) return;
        roots.splice(-2, 2, { size: left.size * 2, root: node(left.root, right.root) });
      }
    },
    get leaves() {
      return leaves;
    },
    /** Hex; the hash of nothing where there is no leaf. */
    root: (): string =>
      roots.length === 0
        ? hash("sha256", "", "hex")
        : roots
            .map(({ root }) => root)
            .reduceRight((right, left) => node(left, right))
            .toString("hex"),
  };
};
