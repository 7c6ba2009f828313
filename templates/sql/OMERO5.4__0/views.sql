--
-- Numbers of links for each parent and owner.
--

CREATE VIEW count_image_annotationlinks_by_owner (image_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM imageannotationlink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_dataset_annotationlinks_by_owner (dataset_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM datasetannotationlink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_project_annotationlinks_by_owner (project_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM projectannotationlink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_fileset_annotationlinks_by_owner (fileset_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM filesetannotationlink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_originalfile_annotationlinks_by_owner (originalfile_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM originalfileannotationlink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_dataset_imagelinks_by_owner (dataset_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM datasetimagelink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_image_datasetlinks_by_owner (image_id, owner_id, count) AS
    SELECT child, owner_id, count(*) FROM datasetimagelink GROUP BY child, owner_id ORDER BY child;

CREATE VIEW count_project_datasetlinks_by_owner (project_id, owner_id, count) AS
    SELECT parent, owner_id, count(*) FROM projectdatasetlink GROUP BY parent, owner_id ORDER BY parent;

CREATE VIEW count_dataset_projectlinks_by_owner (dataset_id, owner_id, count) AS
    SELECT child, owner_id, count(*) FROM projectdatasetlink GROUP BY child, owner_id ORDER BY child;
