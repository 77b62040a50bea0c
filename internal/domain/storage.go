package domain

// StorageUse is what data is stored for.
type StorageUse string

// The uses that decide about storage.
const (
	DatabaseStorage   StorageUse = "database"
	SharedStorage     StorageUse = "shared"
	LargeMediaStorage StorageUse = "media"
	CacheStorage      StorageUse = "cache"
)

// StorageChoice says which storage serves a use. Class is one homelab's name
// for it and only a default of the configuration.
type StorageChoice struct {
	Use         StorageUse `json:"use"`
	UseCase     string     `json:"useCase"`
	Class       string     `json:"class"`
	BackedBy    string     `json:"backedBy"`
	Performance string     `json:"performance"`
	Capacity    string     `json:"capacity"`
	Redundancy  string     `json:"redundancy"`
	TradeOff    string     `json:"tradeOff"`
}

// StorageClassSelection returns the decision table of storage.
func StorageClassSelection() []StorageChoice {
	return []StorageChoice{
		{DatabaseStorage, "Database, fast I/O", "rook-ceph-block", "NVMe SSD", "High", "Limited", "3x replica", "fast, replicated, small; also for an application's configuration"},
		{SharedStorage, "Shared files", "rook-ceph-filesystem", "NVMe SSD", "Medium", "Limited", "3x replica", "several pods write to it"},
		{LargeMediaStorage, "Large media", "NFS mounts", "Synology NAS", "Low", "Multi-TB", "RAID", "large, and slower"},
		{CacheStorage, "Cache, temp", "emptyDir", "Node memory", "Highest", "Tiny", "None", "fastest, and gone with the pod"},
	}
}
