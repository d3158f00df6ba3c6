// What an app needs besides `Server` and `Client` lives in the rooms below: values in RoamkeyCBOR, keys and player ids
// in RoamkeyCrypto, addresses and policies in RoamkeyWire, configuration and reasons in RoamkeyEngine, evidence in
// RoamkeyEvidence, what a socket refuses in RoamkeyUDP. An app writes one `import Roamkey` all the same. Whole modules
// are handed on, since all that is `public` in them is meant for apps (the rest is `package`), and since members follow
// their module, not their type.
@_exported public import RoamkeyCBOR
@_exported public import RoamkeyCrypto
@_exported public import RoamkeyEngine
@_exported public import RoamkeyEvidence
@_exported public import RoamkeyUDP
@_exported public import RoamkeyWire
