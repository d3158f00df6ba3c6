// Roamkey
