"""Properties of search and of Indexer."""

from __future__ import annotations

from omeroadmin.schema.kinds import CLASS_NAME, CRON, enum, list_of, optional, size, text_like, whole
from omeroadmin.schema.setting import Setting

_INDEXER = ("Indexer",)
_OLDER_LOADER = "omero.search.event_log_loader=persistentEventLogLoader"
_EXCLUDED = (
    "ome.model.annotations.ChannelAnnotationLink",
    "ome.model.core.Channel",
    "ome.model.core.PlaneInfo",
    "ome.model.core.PixelsOriginalFileMap",
    "ome.model.containers.DatasetImageLink",
    "ome.model.containers.ProjectDatasetLink",
    "ome.model.containers.CategoryGroupCategoryLink",
    "ome.model.containers.CategoryImageLink",
    "ome.model.display.ChannelBinding",
    "ome.model.display.QuantumDef",
    "ome.model.display.Thumbnail",
    "ome.model.meta.Share",
    "ome.model.meta.Event",
    "ome.model.meta.EventLog",
    "ome.model.meta.GroupExperimenterMap",
    "ome.model.meta.Node",
    "ome.model.meta.Session",
    "ome.model.annotations.RoiAnnotationLink",
    "ome.model.roi.Roi",
    "ome.model.roi.Shape",
    "ome.model.roi.Text",
    "ome.model.roi.Rectangle",
    "ome.model.roi.Mask",
    "ome.model.roi.Ellipse",
    "ome.model.roi.Point",
    "ome.model.roi.Path",
    "ome.model.roi.Polygon",
    "ome.model.roi.Polyline",
    "ome.model.roi.Line",
    "ome.model.screen.ScreenAcquisitionWellSampleLink",
    "ome.model.screen.ScreenPlateLink",
    "ome.model.screen.WellReagentLink",
    "ome.model.stats.StatsInfo",
)
_INCLUDED = (
    "ome.model.core.Image",
    "ome.model.containers.Project",
    "ome.model.containers.Dataset",
    "ome.model.screen.Plate",
    "ome.model.screen.Screen",
    "ome.model.screen.PlateAcquisition",
    "ome.model.screen.Well",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "omero.search.analyzer",
        "Search",
        CLASS_NAME,
        "ome.services.fulltext.FullTextAnalyzer",
        "The Java class that cuts texts and searches into words. What is indexed already keeps the old words: change "
        "it only together with a new index (omero admin reindex).",
        affects=("Blitz", "Indexer"),
    ),
    Setting(
        "omero.search.batch",
        "Search",
        whole(1, unit="events"),
        "5000",
        "How many changes are indexed at a time. More make the indexing of a backlog faster, and need more heap of "
        "Indexer.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.bridges",
        "Search",
        optional(list_of(CLASS_NAME)),
        "",
        "Java classes of your own that add words to the index, with commas between them. Their jars must be in "
        "lib/server, or Indexer doesn't start.",
        affects=_INDEXER,
        example="org.example.LabBookBridge",
    ),
    Setting(
        "omero.search.cron",
        "Search",
        optional(CRON),
        "*/2 * * * * ?",
        "How often new changes are indexed: a Quartz expression, whose first field are the seconds; every two seconds. "
        "Empty means never: search then finds nothing new.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.event_log_loader",
        "Search",
        enum("eventLogQueue", "persistentEventLogLoader"),
        "eventLogQueue",
        "How changes are taken from the database: the queue looks far ahead and indexes an object once however often "
        "it has changed; the older loader goes through the changes in their order.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.excludes",
        "Search",
        optional(list_of(CLASS_NAME)),
        ",".join(_EXCLUDED),
        "The types of objects whose changes are never indexed, with commas between them. A new value replaces the "
        "whole list: copy it and add to it.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.include_actions",
        "Search",
        list_of(text_like("[A-Z]+", "a word in capitals")),
        "INSERT,UPDATE,REINDEX,DELETE",
        "The kinds of changes that are indexed. Only code of your own that writes other ones into the database's event "
        "log is a reason to add to it; without DELETE, search finds what no longer exists.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.include_types",
        "Search",
        list_of(CLASS_NAME),
        ",".join(_INCLUDED),
        "The types of objects that can be searched for, with commas between them; all others are left out. A new value "
        "replaces the whole list: copy it and add to it.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.locking_strategy",
        "Search",
        enum("native", "simple", "single", "none"),
        "native",
        "How the index is kept from being written by two processes. Native locks are freed when a process dies; none "
        "risks a broken index.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.max_file_size",
        "Search",
        size(),
        "131072000",
        "How large an attached file may be for its contents to be indexed, in bytes; larger ones are found by name "
        "only. Keep it below half of Indexer's heap (omero.jvmcfg.heap_size.indexer), or Indexer runs out of memory "
        "and can break the index.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.max_fileset_size",
        "Search",
        whole(0, unit="files"),
        "10",
        "How many files of an image's fileset are indexed at most; 0 is none. Large values slow indexing down badly "
        "where plates have thousands of files.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.max_partition_size",
        "Search",
        whole(1, unit="objects"),
        "1000000",
        "How many objects are looked at ahead, at about 100 bytes of heap each. The more, the fewer objects are "
        "indexed twice.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.merge_factor",
        "Search",
        whole(2, unit="segments"),
        "25",
        "How many parts the index on disk gathers before they are merged. More index faster and search slower, and "
        "keep more files open.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.ram_buffer_size",
        "Search",
        whole(1, 2047, unit="MB"),
        "64",
        "How many megabytes of the index are gathered in memory before they are written. More index faster; it must "
        "fit well into Indexer's heap.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.repetitions",
        "Search",
        whole(1, unit="rounds"),
        "1",
        "How many batches are indexed in one go while there is a backlog of more than an hour. It counts only with "
        f"{_OLDER_LOADER}.",
        affects=_INDEXER,
    ),
    Setting(
        "omero.search.reporting_loops",
        "Search",
        whole(1, unit="rounds"),
        "100",
        "After how many rounds Indexer logs how far it has come. The count costs a slow query of the database, so don't "
        "make it much more frequent.",
        affects=_INDEXER,
    ),
)
