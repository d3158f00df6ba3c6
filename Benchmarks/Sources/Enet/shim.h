// ENet (http://enet.bespin.org) as one module. Only EnetHost.swift imports it.
#include <enet/enet.h>
