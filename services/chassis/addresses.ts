/**
 * Who is asking, and whether a key may be used from there: one rule at every door. X-Forwarded-For is a claim: it is believed only as far as trusted proxies wrote it, read from its
 * right end.
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type AddressRange = readonly [Address, number];

/** Parses `10.0.0.0/8` or `10.0.0.1`; undefined when it is neither. */
export const parseRange = (text: string): AddressRange | undefined => {
  if (isIP(text.split("/", 1)[0] ?? "") !== 0 && ipaddr.isValidCIDR(text)) {
    const [address, bits] = ipaddr.parseCIDR(text);
    return [address, bits];
  }
  const address = parse(text);
  return address === undefined ? undefined : [address, address.kind() === "ipv4" ? 32 : 128];
};

/** Only what Node calls an address: the library also reads `10.1` and `2130706433`. */
const parse = (text: string): Address | undefined =>
  isIP(text) !== 0 && ipaddr.isValid(text) ? ipaddr.process(text) : undefined;

/** An IPv4 address that came in IPv6's clothes, as itself; anything else as it is. */
export const plainAddress = (text: string): string => parse(text)?.toString() ?? text;

const within = (address: Address, [range, bits]: AddressRange): boolean =>
  address.kind() === range.kind() && address.match(range as ipaddr.IPv4 & ipaddr.IPv6, bits);

/** The client's address as text; `socketAddress` as Node gives it. */
export const clientAddress = (
  socketAddress: string,
  forwardedFor: string | undefined,
  trusted: readonly AddressRange[],
): string => {
  let address = parse(socketAddress);
  if (address === undefined) return "";
  if (forwardedFor !== undefined && trusted.length > 0) {
    const hops = forwardedFor.split(",");
    while (hops.length > 0 && trusted.some((range) => within(address as Address, range))) {
      const hop: Address | undefined = parse((hops.pop() ?? "").trim());
      if (hop === undefined) break;
      address = hop;
    }
  }
  return address.toString();
};

const ranges = new WeakMap<readonly string[], (AddressRange | undefined)[]>();

/** Whether an allowlist admits the address. An entry that cannot be read admits nobody. */
export const isAllowed = (address: string, allowlist: readonly string[]): boolean => {
  if (allowlist.length === 0) return true;
  let parsed = ranges.get(allowlist);
  if (parsed === undefined) ranges.set(allowlist, (parsed = allowlist.map(parseRange)));
  const own = parse(address);
  return own !== undefined && parsed.some((range) => range !== undefined && within(own, range));
};
