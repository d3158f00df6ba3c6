// RoamkeyUDP
