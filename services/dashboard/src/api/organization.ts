/** Which organization this browser acts in. Without one the api takes the only one there is. */
const store = "astralog.organization";

/** A link in a message says which one it is about; the server says whether one is in it. */
const linked = new URLSearchParams(globalThis.location?.search ?? "").get("organization");
if (linked !== null && /^tn_\w{1,40}$/.test(linked)) localStorage.setItem(store, linked);

export const readOrganization = (): string | null => localStorage.getItem(store);
export const setOrganization = (id: string | null): void =>
  id === null ? localStorage.removeItem(store) : localStorage.setItem(store, id);
