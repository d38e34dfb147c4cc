/** Where to go after signing in: a path of our own, whatever was asked for. */
const longest = 1_024;
const base = "https://self.invalid";

/** `wanted` when every browser would read it as a path of this very site, otherwise the start page. */
export const returnPath = (wanted: unknown): string => {
  if (typeof wanted !== "string" || wanted.length > longest || !/^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/.test(wanted))
    return "/";
  if (!URL.canParse(wanted, base)) return "/";
  const { origin, pathname, search, hash } = new URL(wanted, base);
  // Below /api nothing is a page, and what answers there may act.
  if (origin !== base || pathname.startsWith("//") || pathname === "/api" || pathname.startsWith("/api/")) return "/";
  return `${pathname}${search}${hash}`;
};
