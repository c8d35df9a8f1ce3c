export declare const SUBSCRIPTION: string
export declare const BOARD: string
export declare const METER: string
export declare const ADVANCE_ORDER: string
export declare const CREATE_ORDER: string
export declare const GROW_AUDIENCE: string
export declare const DISMISS_AUDIENCE: string
