/** An invitation on its way through a sign-in. It opens nothing by itself: only its address' owner can take it. */
const store = "astralog.invitation";

export const keptInvitation = (): string | null => localStorage.getItem(store);
export const keepInvitation = (token: string): void => localStorage.setItem(store, token);
export const dropInvitation = (): void => localStorage.removeItem(store);
